/** MLflow logs the machine's own figures, such as the load of its processor, under this. */
export const systemMetricPrefix = 'system/';
