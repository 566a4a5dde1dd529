import { type Datatype, missingText, type Tensor } from '../src/inference/datatypes.ts';
import { inferenceLogOptions } from '../src/protocol/scorer.ts';
import { openInferenceLogWriter } from '../src/scorer/inferenceLogWriter.ts';
import { createBlockBuilder } from '../src/scorer/requestBlock.ts';
import { layOutValues } from '../src/scorer/valueLayouts.ts';

/** By name, one element a row; null stands for values that are not kept. */
export type Columns = Readonly<Record<string, readonly unknown[] | null>>;

/** A request for a log that no scorer writes; what is left out is usual. */
export interface FiledRequest {
  readonly id: string;
  /** UTC milliseconds. */
  readonly receivedAt: number;
  readonly model?: string;
  readonly version?: number;
  readonly variant?: string;
  readonly status?: number;
  /** Null for a request that was refused before a version was chosen, as it is when it is left out. */
  readonly inputs?: Columns | null;
  readonly outputs?: Columns | null;
}

export interface FiledFeedback {
  readonly id: string;
  readonly receivedAt: number;
  /** JSON text. */
  readonly truth?: string | null;
  readonly reward?: number | null;
}

/**
 * Adds requests to an inference log, or creates it, by the writer of a scorer. Texts, truths, bigints and other numbers
 * become tensors of BYTES, BOOL, INT64 or UINT64, and FP64; objects are scores by class.
 *
 * @param blockSize how many requests are written together.
 */
export function writeInferenceLogFile(
  file: string,
  requests: Iterable<FiledRequest>,
  feedback: readonly FiledFeedback[] = [],
  blockSize = 100,
): void {
  const warn = (message: string) => {
    throw new Error(message);
  };
  const writer = openInferenceLogWriter(inferenceLogOptions.parse({ file, keepBytes: null }), {
    warn,
    written: () => undefined,
  });
  const builder = createBlockBuilder();
  const told = feedback.map(({ id, receivedAt, truth = null, reward = null }) => ({
    requestId: id,
    receivedAt,
    truth,
    reward,
  }));
  const flush = (more: typeof told = []) => writer.write({ requests: builder.take(null), feedback: more });
  const numbers = new Map<string, number>();
  for (const request of requests) {
    const { id, receivedAt, model = 'wine', version = 1, variant = 'stable' } = request;
    const { inputs = null, outputs = null } = request;
    const feeds = tensorsOf(inputs ?? {});
    const answers = tensorsOf(outputs ?? {});
    const { description, hidden } = layOutValues(
      { inputs: feeds.map(specificationOf), outputs: answers.map(specificationOf), layout: null },
      new Set([...feeds, ...answers].filter(({ hidden: isHidden }) => isHidden).map(({ name }) => name)),
    );
    const layout = JSON.stringify(description);
    const key = JSON.stringify([model, version, layout]);
    const number = numbers.get(key) ?? numbers.size;
    if (!numbers.has(key)) writer.announce(number, { name: model, version, layout });
    numbers.set(key, number);
    const isRefused = inputs === null && outputs === null;
    builder.add(
      {
        requestId: id,
        receivedAt,
        status: request.status ?? (isRefused ? 400 : 200),
        latencyMicroseconds: 1500,
        variant,
        values: isRefused
          ? null
          : { feeds: feeds.map(({ tensor }) => tensor), outputs: answers.map(({ tensor }) => tensor) },
      },
      isRefused ? null : { number, hidden },
    );
    if (builder.count >= blockSize) flush();
  }
  flush(told);
  writer.close();
}

interface NamedTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly labels: readonly string[] | null;
  readonly hidden: boolean;
}

function specificationOf({ name, tensor: { datatype, shape }, labels }: NamedTensor) {
  return { name, datatype, shape, labels };
}

function tensorsOf(columns: Columns): readonly NamedTensor[] {
  const rowCount = Math.max(0, ...Object.values(columns).map((values) => values?.length ?? 0));
  return Object.entries(columns).map(([name, given]) => {
    const values = given ?? Array.from({ length: rowCount }, () => 0);
    const labels = isObject(values[0]) ? Object.keys(values[0]) : null;
    const rows = labels ? values.map((row) => (isObject(row) ? Object.values(row) : [])) : values;
    return { name, tensor: tensorOf(rows), labels, hidden: given === null };
  });
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function tensorOf(values: readonly unknown[]): Tensor {
  const shape: number[] = [];
  for (let level: unknown = values; Array.isArray(level); level = level[0]) shape.push(level.length);
  const elements: readonly unknown[] = values.flat(Number.POSITIVE_INFINITY);
  const datatype = datatypeOf(elements);
  switch (datatype) {
    case 'BYTES':
      return {
        datatype,
        shape,
        data: elements.map((value) => (value === null ? missingText : String(value))),
      };
    case 'BOOL':
      return { datatype, shape, data: Uint8Array.from(elements, Number) };
    case 'INT64':
      return { datatype, shape, data: BigInt64Array.from(elements.map(bigintOf)) };
    case 'UINT64':
      return { datatype, shape, data: BigUint64Array.from(elements.map(bigintOf)) };
    default:
      return { datatype, shape, data: Float64Array.from(elements, (value) => Number(value ?? Number.NaN)) };
  }
}

function bigintOf(value: unknown): bigint {
  return BigInt(typeof value === 'bigint' ? value : Number(value));
}

const infinities = new Set<unknown>(['Infinity', '-Infinity']);

function datatypeOf(elements: readonly unknown[]): Datatype {
  if (elements.some((value) => typeof value === 'string' && !infinities.has(value))) return 'BYTES';
  if (elements.some((value) => typeof value === 'boolean')) return 'BOOL';
  const long = elements.filter((value) => typeof value === 'bigint');
  if (long.length === 0) return 'FP64';
  return long.some((value) => value >= 2n ** 63n) ? 'UINT64' : 'INT64';
}
