import type { Measurement, RuntimeChoice } from '../protocol/tuning.ts';

export interface Choice {
  readonly chosen: Measurement;
  /** Why, one sentence for each thing that was decided. */
  readonly reasons: readonly string[];
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

function disturbance(measurements: readonly Measurement[]): readonly string[] {
  const spreads = measurements.map(({ spread }) => spread).toSorted((one, other) => one - other);
  const middle = spreads[spreads.length >> 1] ?? 1;
  if (middle < quiet) return [];
  return [
    `The machine was busy with other things: the rounds of a way differ by ${middle.toFixed(1)} times in the middle. ` +
      'Measure again when it is quiet.',
  ];
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

function batchReason({ chosen, before }: Decision, candidates: readonly Measurement[]): string {
  const alone = candidates.find(({ batchRows }) => batchRows === 1);
  if (chosen.batchRows === 1) {
    return `Requests are not joined: batches of up to ${before.batchRows} rows answer ${times(before, chosen)} as many requests.`;
  }
  const compared = alone ? `: ${times(chosen, alone)} as many requests as without joining` : '';
  return `Requests that are there at the same time are joined, up to ${chosen.batchRows} rows${compared}.`;
}

function threadReason({ chosen, other }: Decision): string {
  if (other === null) return 'One thread: this machine has one processor core.';
  if (chosen.threads > other.threads) {
    return `${chosen.threads} threads in one run: ${times(chosen, other)} as many requests as with ${counted(other.threads, 'thread')}.`;
  }
  const slower = other.rate < chosen.rate ? ' More threads spin while they wait for each other.' : '';
  return `${counted(chosen.threads, 'thread')} in one run: ${other.threads} threads answer ${times(other, chosen)} as many requests.${slower}`;
}

function processReason({ chosen, other }: Decision): string {
  if (other === null) return 'One process: the processor cores are taken by its threads, or there is one.';
  const memory =
    chosen.residentBytes === null || other.residentBytes === null
      ? ''
      : ` (${megabytes(chosen.residentBytes)} of memory against ${megabytes(other.residentBytes)})`;
  if (chosen.processes > other.processes) {
    return `${chosen.processes} processes share the port: ${times(chosen, other)} as many requests as ${counted(other.processes, 'process')}${memory}.`;
  }
  return `${counted(chosen.processes, 'process')}: ${other.processes} answer ${times(other, chosen)} as many requests, which is not worth it${memory}.`;
}

/** Such as "0.8 times". */
function times(one: Measurement, other: Measurement): string {
  return `${(one.rate / other.rate).toFixed(1)} times`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : noun.endsWith('s') ? 'es' : 's'}`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}
