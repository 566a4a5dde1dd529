import { rowCount, type Tensor } from '../inference/datatypes.ts';
import type { LoggedRequest } from './loggedRequest.ts';
import { createPackedTensorWriter } from './packedTensorWriter.ts';
import type { HiddenPart } from './valueLayouts.ts';

/**
 * Requests on their way to the thread that logs them. One object with two arrays costs those who answer far less than
 * thousands of small ones: numbers lie side by side, and tensors in one memory, which is handed over and not copied.
 */
export interface PackedRequests {
  readonly requestIds: readonly string[];
  /** The names that `numbers` refers to. */
  readonly variants: readonly string[];
  /** `fieldsPerRequest` numbers for each request. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly memory: ArrayBuffer;
}

/** A request whose values are still tensors. */
export interface AnsweredTensors extends Omit<LoggedRequest, 'rowCount' | 'packed'> {
  /** Null for a request that was refused. */
  readonly values: { readonly feeds: readonly Tensor[]; readonly outputs: readonly Tensor[] } | null;
}

export interface RequestPacker {
  readonly count: number;
  /** Bytes of the tensors that were added. */
  readonly bytes: number;
  /**
   * @param hidden what of each tensor is not kept, inputs first.
   * @throws RangeError when there is no memory for so much; then the request was not added.
   */
  add(request: AnsweredTensors, hidden: readonly HiddenPart[]): void;
  /** What was added since the last time. @param memory to go on with, once nobody else needs it. */
  take(memory: ArrayBuffer | null): PackedRequests;
}

/** Received at, status, latency, model (-1: none), variant, rows, where the tensors begin (-1: refused) and end. */
const fieldsPerRequest = 8;
const none = -1;

export function createRequestPacker(): RequestPacker {
  const tensors = createPackedTensorWriter();
  let requestIds: string[] = [];
  let variants: string[] = [];
  let numbers: number[] = [];

  const addTensors = (
    { feeds, outputs }: NonNullable<AnsweredTensors['values']>,
    hidden: readonly HiddenPart[],
  ) => {
    const begin = tensors.length;
    try {
      for (let index = 0; index < feeds.length; index++) addTensor(feeds[index], hidden[index]);
      for (let index = 0; index < outputs.length; index++) {
        addTensor(outputs[index], hidden[feeds.length + index]);
      }
    } catch (error) {
      tensors.truncate(begin);
      throw error;
    }
  };
  const addTensor = (tensor: Tensor | undefined, hidden: HiddenPart = null) => {
    if (tensor) tensors.add(tensor, hidden);
  };
  return {
    get count() {
      return requestIds.length;
    },
    get bytes() {
      return tensors.length;
    },
    add({ requestId, receivedAt, status, latencyMicroseconds, model, variant, values }, hidden) {
      const begin = tensors.length;
      if (values) addTensors(values, hidden);
      requestIds.push(requestId);
      let name = variants.indexOf(variant);
      if (name === -1) name = variants.push(variant) - 1;
      numbers.push(receivedAt, status, latencyMicroseconds, model ?? none, name);
      numbers.push(values ? rowCount(values.feeds) : 0, values ? begin : none, tensors.length);
    },
    take(memory) {
      const packed: PackedRequests = {
        requestIds,
        variants,
        numbers: Float64Array.from(numbers),
        memory: tensors.take(memory),
      };
      requestIds = [];
      variants = [];
      numbers = [];
      return packed;
    },
  };
}

/** The memories that a message with packed requests hands over. */
export function buffersOf({ numbers, memory }: PackedRequests): ArrayBuffer[] {
  return [numbers.buffer, memory];
}

/** The requests as they were added; their tensors lie in the memory of the message. */
export function unpackRequests({
  requestIds,
  variants,
  numbers,
  memory,
}: PackedRequests): readonly LoggedRequest[] {
  return requestIds.map((requestId, index) => {
    const at = index * fieldsPerRequest;
    const field = (offset: number): number => numbers[at + offset] ?? 0;
    const begin = field(6);
    return {
      requestId,
      receivedAt: field(0),
      status: field(1),
      latencyMicroseconds: field(2),
      model: field(3) === none ? null : field(3),
      variant: variants[field(4)] ?? '',
      rowCount: field(5),
      packed: begin === none ? null : Buffer.from(memory, begin, field(7) - begin),
    };
  });
}
