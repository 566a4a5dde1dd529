import type { ImportedPoints, Integers } from '../../protocol/importing.ts';

/** So many points travel at once: few enough to keep memory flat, many enough to keep messages rare. */
const pointsInChunk = 2000;

/** Gathers the points of one metric of one run and gives them in chunks. */
export interface PointBuffer {
  /** Adds a point; gives a chunk when one is full, else null. Integers beyond 2^53 are given as bigint. */
  add(step: number | bigint, timestamp: number | bigint, value: number): ImportedPoints | null;
  /** What is left; null when there is nothing. */
  rest(): ImportedPoints | null;
}

export function createPointBuffer(runId: string, key: string): PointBuffer {
  let steps: (number | bigint)[] = [];
  let timestamps: (number | bigint)[] = [];
  let values: number[] = [];

  const take = (): ImportedPoints | null => {
    if (values.length === 0) return null;
    const chunk: ImportedPoints = {
      type: 'points',
      runId,
      key,
      steps: toIntegers(steps),
      timestamps: toIntegers(timestamps),
      values: Float64Array.from(values),
    };
    steps = [];
    timestamps = [];
    values = [];
    return chunk;
  };

  return {
    add(step, timestamp, value) {
      steps.push(step);
      timestamps.push(timestamp);
      values.push(value);
      return values.length === pointsInChunk ? take() : null;
    },
    rest: take,
  };
}

function toIntegers(integers: readonly (number | bigint)[]): Integers {
  const numbers = integers.filter((integer) => typeof integer === 'number');
  if (numbers.length === integers.length) return Float64Array.from(numbers);
  return BigInt64Array.from(integers, (integer) => BigInt(integer));
}
