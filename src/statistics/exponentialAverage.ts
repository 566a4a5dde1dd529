/**
 * Exponential moving average without the pull towards zero at the start, as TensorBoard draws it:
 * `m_i = w·m_(i-1) + (1-w)·y_i`, divided by `1 - w^i`. Non-finite values stay as they are and are left out of the average.
 *
 * @param weight from 0 (as it is) to below 1 (very smooth)
 * @returns a function that takes one value after the other and gives each one's average
 */
export function createExponentialAverage(weight: number): (value: number) => number {
  if (weight <= 0) return (value) => value;
  let average = 0;
  let bias = 1;
  return (value) => {
    if (!Number.isFinite(value)) return value;
    average = weight * average + (1 - weight) * value;
    bias *= weight;
    return average / (1 - bias);
  };
}

/** The exponential moving average of values that are at hand; see `createExponentialAverage`. */
export function smooth(values: Float64Array, weight: number): Float64Array {
  return weight <= 0 ? values : values.map(createExponentialAverage(weight));
}
