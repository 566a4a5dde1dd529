import { rowCount, type Tensor } from '../inference/datatypes.ts';
import { noHead } from '../protocol/inferenceLogTables.ts';
import { createPackedTensorWriter } from './packedTensorWriter.ts';
import type { HiddenPart } from './valueLayouts.ts';

/**
 * Requests on their way to the thread that logs them, laid out as the file holds them. Few large things cost those who
 * answer far less than thousands of small ones, and their memory is handed over, not copied.
 */
export interface RequestBlock {
  readonly count: number;
  /** JSON texts. */
  readonly requestIds: string;
  readonly variants: string;
  /** As in the file, but for the models: those go by the numbers that they were announced under. */
  readonly heads: Float64Array<ArrayBuffer>;
  readonly memory: ArrayBuffer;
  /** How much of `memory` the tensors take. */
  readonly bytes: number;
}

/** A request that was answered. */
export interface AnsweredTensors {
  readonly requestId: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly status: number;
  readonly latencyMicroseconds: number;
  readonly variant: string;
  /** Null for a request that was refused. */
  readonly values: { readonly feeds: readonly Tensor[]; readonly outputs: readonly Tensor[] } | null;
}

/** What the log needs to know of the version that answered. */
export interface AnnouncedModel {
  readonly number: number;
  /** What of each tensor is not kept, inputs first. */
  readonly hidden: readonly HiddenPart[];
}

export interface BlockBuilder {
  readonly count: number;
  /** Bytes of the tensors that were added. */
  readonly bytes: number;
  /**
   * @param model null for a request that was refused before a version was chosen.
   * @throws RangeError when there is no memory for so much; then the request was not added.
   */
  add(request: AnsweredTensors, model: AnnouncedModel | null): void;
  /** What was added since the last time. @param memory to go on with, once nobody else needs it. */
  take(memory: ArrayBuffer | null): RequestBlock;
}

const nothingHidden: readonly HiddenPart[] = [];

export function createBlockBuilder(): BlockBuilder {
  const tensors = createPackedTensorWriter();
  let requestIds: string[] = [];
  let variants: string[] = [];
  let heads: number[] = [];

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
    add({ requestId, receivedAt, status, latencyMicroseconds, variant, values }, model) {
      const begin = tensors.length;
      if (values) addTensors(values, model?.hidden ?? nothingHidden);
      requestIds.push(requestId);
      let name = variants.indexOf(variant);
      if (name === -1) name = variants.push(variant) - 1;
      // In the order of `headField`.
      heads.push(receivedAt, status, latencyMicroseconds, model?.number ?? noHead, name);
      heads.push(values ? rowCount(values.feeds) : 0, values ? begin : noHead, tensors.length);
    },
    take(memory) {
      const bytes = tensors.length;
      const block: RequestBlock = {
        count: requestIds.length,
        requestIds: JSON.stringify(requestIds),
        variants: JSON.stringify(variants),
        heads: new Float64Array(heads),
        memory: tensors.take(memory),
        bytes,
      };
      requestIds = [];
      variants = [];
      heads = [];
      return block;
    },
  };
}

/** The memories that a message with a block hands over. */
export function buffersOf({ heads, memory }: RequestBlock): ArrayBuffer[] {
  return [heads.buffer, memory];
}
