import { shortestFloat } from '../protocol/shortestFloat.ts';
import type { Tensor } from './datatypes.ts';

/** The same values, those of FP32 with the digits that were sent: as doubles they would have many more. */
export function shortestFloats(tensor: Tensor): Tensor {
  if (tensor.datatype !== 'FP32' || !(tensor.data instanceof Float32Array)) return tensor;
  return { ...tensor, datatype: 'FP64', data: Float64Array.from(tensor.data, shortestFloat) };
}
