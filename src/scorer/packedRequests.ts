import { allocate, type Datatype, runtimeTypes, type Tensor } from '../inference/datatypes.ts';
import type { LoggedRequest } from './loggedRequest.ts';

/**
 * Requests on their way to the thread that logs them. One object with a few large arrays costs those who answer far
 * less than thousands of small ones: numbers lie side by side, and the elements of tensors in one buffer, which is
 * handed over and not copied.
 */
export interface PackedRequests {
  readonly requestIds: readonly string[];
  /** The names that `numbers` refers to. */
  readonly variants: readonly string[];
  /** `fieldsPerRequest` numbers for each request. */
  readonly numbers: Float64Array;
  /** Of each tensor: its datatype, place and length in `bytes` (-1 and its place in `others`), rank and sizes. */
  readonly tensors: Float64Array;
  readonly bytes: Uint8Array;
  /** Tensors of strings, and those that were left out. */
  readonly others: readonly Tensor[];
}

export interface RequestPacker {
  readonly count: number;
  add(request: LoggedRequest): void;
  /** What was added since the last time. */
  take(): PackedRequests;
}

/** Received at, status, latency, model (-1: none), variant, feeds (-1: refused), outputs. */
const fieldsPerRequest = 7;
const datatypes = Object.keys(runtimeTypes).filter((name): name is Datatype => name in runtimeTypes);
const codes = new Map(datatypes.map((datatype, code) => [datatype, code]));
const firstBytes = 64 * 1024;
/** Every typed array may begin here. */
const alignment = 8;

export function createRequestPacker(): RequestPacker {
  let requestIds: string[] = [];
  let variants: string[] = [];
  let numbers: number[] = [];
  let tensors: number[] = [];
  let others: Tensor[] = [];
  let bytes = new Uint8Array(firstBytes);
  let used = 0;

  const room = (length: number): number => {
    const place = Math.ceil(used / alignment) * alignment;
    used = place + length;
    if (used > bytes.length) {
      const larger = new Uint8Array(Math.max(used, 2 * bytes.length));
      larger.set(bytes);
      bytes = larger;
    }
    return place;
  };
  const addTensor = (tensor: Tensor) => {
    const { datatype, shape, data, absent } = tensor;
    tensors.push(codes.get(datatype) ?? 0);
    if (Array.isArray(data) || absent) {
      tensors.push(-1, others.length);
      others.push(tensor);
    } else {
      const place = room(data.byteLength);
      bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), place);
      tensors.push(place, data.length);
    }
    tensors.push(shape.length);
    for (const size of shape) tensors.push(size);
  };
  return {
    get count() {
      return requestIds.length;
    },
    add({ requestId, receivedAt, status, latencyMicroseconds, model, variant, values }) {
      requestIds.push(requestId);
      let name = variants.indexOf(variant);
      if (name === -1) name = variants.push(variant) - 1;
      numbers.push(receivedAt, status, latencyMicroseconds, model ?? -1, name);
      numbers.push(values ? values.feeds.length : -1, values ? values.outputs.length : 0);
      if (!values) return;
      for (const feed of values.feeds) addTensor(feed);
      for (const output of values.outputs) addTensor(output);
    },
    take() {
      const packed: PackedRequests = {
        requestIds,
        variants,
        numbers: Float64Array.from(numbers),
        tensors: Float64Array.from(tensors),
        bytes: bytes.slice(0, used),
        others,
      };
      requestIds = [];
      variants = [];
      numbers = [];
      tensors = [];
      others = [];
      used = 0;
      return packed;
    },
  };
}

/** The buffers that a message with packed requests hands over. */
export function buffersOf({ numbers, tensors, bytes }: PackedRequests): ArrayBuffer[] {
  return [numbers, tensors, bytes].flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
}

/** The requests as they were added. */
export function unpackRequests(packed: PackedRequests): readonly LoggedRequest[] {
  const { numbers, variants } = packed;
  const next = tensorReader(packed);
  const several = (count: number): readonly Tensor[] => Array.from({ length: count }, next);
  return packed.requestIds.map((requestId, index) => {
    const at = index * fieldsPerRequest;
    const field = (offset: number): number => numbers[at + offset] ?? 0;
    const feedCount = field(5);
    return {
      requestId,
      receivedAt: field(0),
      status: field(1),
      latencyMicroseconds: field(2),
      model: field(3) === -1 ? null : field(3),
      variant: variants[field(4)] ?? '',
      values: feedCount === -1 ? null : { feeds: several(feedCount), outputs: several(field(6)) },
    };
  });
}

function tensorReader({ tensors, bytes, others }: PackedRequests): () => Tensor {
  let at = 0;
  return () => {
    const datatype = datatypes[tensors[at] ?? 0] ?? 'FP32';
    const place = tensors[at + 1] ?? 0;
    const length = tensors[at + 2] ?? 0;
    const rank = tensors[at + 3] ?? 0;
    const shape = Array.from(tensors.subarray(at + 4, at + 4 + rank));
    at += 4 + rank;
    const other = place === -1 ? others[length] : undefined;
    return other ?? { datatype, shape, data: elements(datatype, bytes, place, length) };
  };
}

/** Elements that share the memory of the message. */
function elements(datatype: Datatype, bytes: Uint8Array, place: number, length: number): Tensor['data'] {
  const data = allocate(datatype, 0);
  if (Array.isArray(data)) return data;
  const at = bytes.byteOffset + place;
  const { buffer } = bytes;
  if (data instanceof Float32Array) return new Float32Array(buffer, at, length);
  if (data instanceof Float64Array) return new Float64Array(buffer, at, length);
  if (data instanceof BigInt64Array) return new BigInt64Array(buffer, at, length);
  if (data instanceof BigUint64Array) return new BigUint64Array(buffer, at, length);
  if (data instanceof Int32Array) return new Int32Array(buffer, at, length);
  if (data instanceof Uint32Array) return new Uint32Array(buffer, at, length);
  if (data instanceof Int16Array) return new Int16Array(buffer, at, length);
  if (data instanceof Uint16Array) return new Uint16Array(buffer, at, length);
  if (data instanceof Int8Array) return new Int8Array(buffer, at, length);
  return new Uint8Array(buffer, at, length);
}
