import { isDeepStrictEqual } from 'node:util';
import type { Serving } from './supervisorTypes.ts';

/** What of a serving decides about its processes; models and traffic are told to those that run. */
export type ProcessOptions = Pick<Serving, 'processes' | 'grpcPort' | 'options'>;

/** Whether processes that run for the one can serve the other: all else is told to a process when it starts. */
export function shareProcesses(one: ProcessOptions, other: ProcessOptions): boolean {
  return (
    one.processes === other.processes &&
    one.grpcPort === other.grpcPort &&
    isDeepStrictEqual(withSample(one.options, 0), withSample(other.options, 0))
  );
}

/** The share of the requests that the inference log keeps; of no meaning where there is none. */
export function sampleOf({ options }: ProcessOptions): number {
  return options.inferenceLog?.sample ?? 1;
}

/** The same with another share. */
export function withSample(options: Serving['options'], sample: number): Serving['options'] {
  const { inferenceLog } = options;
  return inferenceLog ? { ...options, inferenceLog: { ...inferenceLog, sample } } : options;
}
