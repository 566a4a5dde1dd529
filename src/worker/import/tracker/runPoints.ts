import type { ImportedPoints } from '../../../protocol/importing.ts';

/** So many points of one metric travel at once. */
const pointsInChunk = 2000;
/** So many points of a run wait at most, however many metrics it has. */
const mostWaiting = 50_000;

/** Gathers the points of a run, of any number of metrics, and gives them in chunks. */
export interface RunPoints {
  /** Adds a point and gives the chunks that are full; mostly none. The step may be any number; it is rounded down. */
  add(key: string, step: number, timestamp: number, value: number): readonly ImportedPoints[];
  /** What is left. */
  rest(): readonly ImportedPoints[];
}

export function createRunPoints(runId: string): RunPoints {
  const waiting = new Map<string, { steps: number[]; timestamps: number[]; values: number[] }>();
  let count = 0;

  const take = (key: string): readonly ImportedPoints[] => {
    const points = waiting.get(key);
    if (points === undefined || points.steps.length === 0) return [];
    waiting.delete(key);
    count -= points.steps.length;
    return [
      {
        type: 'points',
        runId,
        key,
        steps: Float64Array.from(points.steps),
        timestamps: Float64Array.from(points.timestamps),
        values: Float64Array.from(points.values),
      },
    ];
  };
  const rest = () => [...waiting.keys()].flatMap(take);

  return {
    add(key, step, timestamp, value) {
      let points = waiting.get(key);
      if (points === undefined) {
        points = { steps: [], timestamps: [], values: [] };
        waiting.set(key, points);
      }
      points.steps.push(Math.floor(step));
      points.timestamps.push(Math.max(0, Math.round(timestamp)));
      points.values.push(value);
      count += 1;
      if (count >= mostWaiting) return rest();
      return points.steps.length >= pointsInChunk ? take(key) : [];
    },
    rest,
  };
}
