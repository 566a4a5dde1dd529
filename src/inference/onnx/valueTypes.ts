import { type Detail, detail, worded } from '../../protocol/errorDetails.ts';
import type { ValueType } from './graph.ts';

/** ONNX's names of element types, by their numbers (TensorProto.DataType). */
const elementNames = [
  'an unknown type',
  'float',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'double',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** Of the element types up to here the runtime takes and gives tensors; of later ones it does not. */
const lastCarriedElement = elementNames.indexOf('uint64');

/**
 * Whether the runtime for Node.js takes and gives values of this type. Of what the file leaves open, the runtime finds
 * the type out for itself.
 */
export function isCarried(type: ValueType): boolean {
  return type.kind === 'unknown' || (type.kind === 'tensor' && type.element <= lastCarriedElement);
}

/** In words, such as `a tensor of bfloat16`. */
export function typeDetail(type: ValueType): Detail {
  switch (type.kind) {
    case 'tensor':
      return detail('tensorOf', { element: elementNames[type.element] ?? `element type ${type.element}` });
    case 'optional':
      return detail('optionalValue');
    case 'unknown':
      return detail('valueOfUnknownType');
    default:
      return detail(type.kind);
  }
}

/** The same in English. */
export function typeTitle(type: ValueType): string {
  return String(worded(typeDetail(type)));
}
