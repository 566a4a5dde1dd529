import { allocate, type Tensor } from './datatypes.ts';
import type { TensorSpecification } from './model.ts';

/** Stands for an optional input that a client left out. It has as many rows as the others, so that it lies with them. */
export function absentTensor({ datatype }: TensorSpecification, rows: number): Tensor {
  return { datatype, shape: [rows], data: allocate(datatype, rows), absent: true };
}
