import { setImmediate as turn } from 'node:timers/promises';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactStore } from './artifacts.ts';
import { readTraceData } from './traceSpans.ts';
import type { TraceSpan } from './traceTypes.ts';
import type { Experiment } from './types.ts';

/** The files of traces, each trace's in a folder of its own among the artifacts of its experiment. */
export interface TraceFiles {
  /** The artifact path of the spans of a trace; null when the experiment keeps its files elsewhere. */
  spansPath(experiment: Experiment, traceId: string): string | null;
  /** Null when there is no such file, or it cannot be read. */
  readSpans(path: string): Promise<readonly TraceSpan[] | null>;
  /** Removes the files of traces, as far as they have any here. */
  remove(experiment: Experiment, traceIds: readonly string[]): Promise<void>;
}

export const spansFile = 'traces.json';
const spansPathPattern = /(?:^|\/)traces\/([^/]+)\/artifacts\/traces\.json$/;
/** The spans of a larger file are not searched: they would take much memory at once. Clients still can read it. */
const largestSpansBytes = 32 * 1024 * 1024;
/** How many folders are removed before other requests have their turn. */
const removalsAtOnce = 50;

/** The trace whose spans are in the file at an artifact path; null when it is no such file. */
export function traceIdOfSpans(path: string): string | null {
  return spansPathPattern.exec(path)?.[1] ?? null;
}

/** The folder for the files of a trace, as a URI. */
export function traceLocationOf(experiment: Experiment, traceId: string): string {
  return `${folderOf(experiment, traceId)}/artifacts`;
}

function folderOf({ artifactLocation }: Experiment, traceId: string): string {
  return `${artifactLocation.replace(/\/$/, '')}/traces/${traceId}`;
}

export function createTraceFiles(artifacts: ArtifactStore): TraceFiles {
  return {
    spansPath: (experiment, traceId) =>
      unlessForeseen(() => artifacts.pathOf(traceLocationOf(experiment, traceId), spansFile), null),
    async readSpans(path) {
      const file = unlessForeseen(() => artifacts.open(path), null);
      if (file === null) return null;
      if (file.size <= largestSpansBytes) return readTraceData(file.content);
      file.content.destroy();
      return null;
    },
    async remove(experiment, traceIds) {
      for (const [index, traceId] of traceIds.entries()) {
        if (index % removalsAtOnce === removalsAtOnce - 1) await turn();
        unlessForeseen(
          () => artifacts.remove(artifacts.pathOf(folderOf(experiment, traceId), '')),
          undefined,
        );
      }
    },
  };
}

/** Files may be elsewhere, or not there: an experiment may keep them where this store does not reach. */
function unlessForeseen<Result, Otherwise>(work: () => Result, otherwise: Otherwise): Result | Otherwise {
  try {
    return work();
  } catch (error) {
    if (error instanceof SlipwayError) return otherwise;
    throw error;
  }
}
