/**
 * Exponential moving average without the pull towards zero at the start, as TensorBoard draws it:
 * `m_i = w·m_(i-1) + (1-w)·y_i`, divided by `1 - w^i`. Non-finite values stay as they are and are left out of the average.
 *
 * @param weight from 0 (as it is) to below 1 (very smooth)
 */
export function smooth(values: Float64Array, weight: number): Float64Array {
  if (weight <= 0) return values;
  const smoothed = new Float64Array(values.length);
  let average = 0;
  let bias = 1;
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value)) {
      smoothed[index] = value;
      continue;
    }
    average = weight * average + (1 - weight) * value;
    bias *= weight;
    smoothed[index] = average / (1 - bias);
  }
  return smoothed;
}
