import { type Phrase, phrase, type Saying } from '../protocol/servingSentences.ts';
import type { Measurement, RuntimeChoice } from '../protocol/tuning.ts';

export interface Choice {
  readonly chosen: Measurement;
  /** Why: one for each thing that was decided. */
  readonly reasons: readonly Saying[];
}

/** So much faster must a way be that takes more processes, more threads, or other batches than by default. */
const worthwhile = 1.1;
/** More processes take as much more memory, so they must bring more. */
const worthProcesses = 1.25;

/** What a scorer does when nobody says anything. */
const standard: RuntimeChoice = { threads: 1, processes: 1, batchRows: 1024 };

/**
 * Chooses by the requests that are answered in a second, one thing after the other: batches, then threads, then
 * processes. The default stays where another way is not clearly faster.
 */
export function choose(measurements: readonly Measurement[]): Choice {
  const at = (wanted: RuntimeChoice) =>
    measurements.find(
      ({ threads, processes, batchRows }) =>
        threads === wanted.threads && processes === wanted.processes && batchRows === wanted.batchRows,
    );
  const start = at(standard) ?? measurements[0];
  if (!start) throw new Error('Nothing was measured.');
  const sideways = (from: Measurement, key: keyof RuntimeChoice) =>
    measurements.filter((other) =>
      (['threads', 'processes', 'batchRows'] as const).every(
        (name) => name === key || other[name] === from[name],
      ),
    );
  const batches = decide(start, sideways(start, 'batchRows'), 'batchRows', () => worthwhile);
  const threads = decide(batches.chosen, sideways(batches.chosen, 'threads'), 'threads', () => worthwhile);
  const processes = decide(threads.chosen, sideways(threads.chosen, 'processes'), 'processes', (other) =>
    Math.max(worthProcesses, 1 + (worthProcesses - 1) * Math.log2(other.processes)),
  );
  return {
    chosen: processes.chosen,
    reasons: [
      batchReason(batches, sideways(start, 'batchRows')),
      threadReason(threads),
      processReason(processes),
      ...disturbance(measurements),
    ],
  };
}

/** Rounds of the same thing that differ so much show that the machine did something else, too. */
const quiet = 1.3;

function disturbance(measurements: readonly Measurement[]): readonly Saying[] {
  const spreads = measurements.map(({ spread }) => spread).toSorted((one, other) => one - other);
  const middle = spreads[spreads.length >> 1] ?? 1;
  if (middle < quiet) return [];
  return [[phrase('machineWasBusy', { spread: { figure: tenths(middle) } })]];
}

interface Decision {
  readonly before: Measurement;
  readonly chosen: Measurement;
  /** The fastest of those that were not chosen; null when there was nothing to choose from. */
  readonly other: Measurement | null;
}

function decide(
  before: Measurement,
  candidates: readonly Measurement[],
  key: keyof RuntimeChoice,
  needed: (candidate: Measurement) => number,
): Decision {
  const others = candidates.filter((candidate) => candidate[key] !== before[key]);
  const worthy = others.filter((candidate) => candidate.rate >= needed(candidate) * before.rate);
  const chosen = worthy.reduce((best, next) => (next.rate > best.rate ? next : best), before);
  const rest = [before, ...others].filter((candidate) => candidate !== chosen);
  const other = rest.reduce<Measurement | null>(
    (best, next) => (best === null || next.rate > best.rate ? next : best),
    null,
  );
  return { before, chosen, other };
}

function batchReason({ chosen, before }: Decision, candidates: readonly Measurement[]): Saying {
  const alone = candidates.find(({ batchRows }) => batchRows === 1);
  if (chosen.batchRows === 1) {
    const rows = { figure: before.batchRows };
    return [phrase('requestsNotJoined', { rows, compared: compared(before, chosen) })];
  }
  const rows = { figure: chosen.batchRows };
  return [
    alone
      ? phrase('requestsJoinedBesideNone', { rows, compared: compared(chosen, alone) })
      : phrase('requestsJoined', { rows }),
  ];
}

function threadReason({ chosen, other }: Decision): Saying {
  if (other === null) return [phrase('onlyOneThread')];
  if (chosen.threads > other.threads) {
    const { threads } = chosen;
    return [phrase('moreThreads', { threads, count: other.threads, compared: compared(chosen, other) })];
  }
  const { threads } = other;
  return [
    phrase('enoughThreads', { count: chosen.threads, threads, compared: compared(other, chosen) }),
    ...(other.rate < chosen.rate ? [phrase('threadsSpin')] : []),
  ];
}

function processReason({ chosen, other }: Decision): Saying {
  if (other === null) return [phrase('onlyOneProcess')];
  const memory =
    chosen.residentBytes === null || other.residentBytes === null
      ? []
      : [
          phrase('memoryBeside', {
            chosen: megabytes(chosen.residentBytes),
            other: megabytes(other.residentBytes),
          }),
        ];
  if (chosen.processes > other.processes) {
    const { processes } = chosen;
    return [
      phrase('moreProcesses', { processes, count: other.processes, compared: compared(chosen, other) }),
      ...memory,
    ];
  }
  const { processes } = other;
  return [
    phrase('enoughProcesses', { count: chosen.processes, processes, compared: compared(other, chosen) }),
    ...memory,
  ];
}

/** Such as "0.8 times as many requests". */
function compared(one: Measurement, other: Measurement): Phrase {
  const times = tenths(one.rate / other.rate);
  return times === 1 ? phrase('asManyRequests') : phrase('timesAsManyRequests', { times: { figure: times } });
}

/** Figures of a load tell no more. */
function tenths(ratio: number): number {
  return Math.round(10 * ratio) / 10;
}

function megabytes(bytes: number): { readonly figure: number } {
  return { figure: Math.round(bytes / 1e6) };
}
