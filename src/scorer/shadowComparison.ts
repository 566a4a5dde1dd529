import type { Tensor } from '../inference/datatypes.ts';
import { fromHalfBits } from '../protocol/halfPrecision.ts';
import type { ShadowStatistics } from '../protocol/scorer.ts';
import type { LoadedVersion } from './modelRepository.ts';

/** How the predictions of two versions on the same rows compare. */
export interface ShadowComparison {
  /** Outputs of both for one request, each in the order of its version's outputs. */
  compared(stable: readonly Tensor[], shadow: readonly Tensor[]): void;
  failed(): void;
  skipped(): void;
  statistics(): ShadowStatistics;
}

/** Numbers agree when they differ by at most so much, in relation to the larger one where that is beyond 1. */
const tolerance = 1e-4;

interface OutputPair {
  readonly name: string;
  readonly stable: number;
  readonly shadow: number;
  /** Whether its values are looked at as labels: equal or not. */
  discrete: boolean;
  equalRows: number;
  values: number;
  differences: number;
  largest: number;
}

export function createShadowComparison(stable: LoadedVersion, shadow: LoadedVersion): ShadowComparison {
  const others = shadow.predictor.outputs;
  const pairs: OutputPair[] = [];
  for (const [index, { name, datatype }] of stable.predictor.outputs.entries()) {
    const same = others.findIndex((output) => output.name === name);
    // Outputs of another name are taken by their place when they are of the same kind.
    const other = same !== -1 ? same : others[index]?.datatype === datatype ? index : -1;
    if (other === -1) continue;
    const discrete = datatype !== 'FP32' && datatype !== 'FP64' && datatype !== 'FP16';
    pairs.push({
      name,
      stable: index,
      shadow: other,
      discrete,
      equalRows: 0,
      values: 0,
      differences: 0,
      largest: 0,
    });
  }
  let comparedRows = 0;
  let equalRows = 0;
  let failedRequests = 0;
  let skippedRequests = 0;
  return {
    compared(ours, theirs) {
      const rows = ours[0]?.shape[0] ?? 1;
      const unequal = new Uint8Array(rows);
      for (const pair of pairs) compare(pair, ours[pair.stable], theirs[pair.shadow], unequal);
      comparedRows += rows;
      for (const differs of unequal) if (!differs) equalRows++;
    },
    failed() {
      failedRequests++;
    },
    skipped() {
      skippedRequests++;
    },
    statistics: () => ({
      model: stable.name,
      stableVersion: stable.version,
      shadowVersion: shadow.version,
      comparedRows,
      equalRows,
      outputs: pairs.map(({ name, discrete, values, differences, largest, ...pair }) => ({
        name,
        equalRows: discrete ? pair.equalRows : null,
        meanAbsoluteDifference: discrete || values === 0 ? null : differences / values,
        largestAbsoluteDifference: discrete || values === 0 ? null : largest,
      })),
      failedRequests,
      skippedRequests,
    }),
  };
}

function compare(
  pair: OutputPair,
  ours: Tensor | undefined,
  theirs: Tensor | undefined,
  unequal: Uint8Array,
): void {
  const rows = unequal.length;
  if (!ours || !theirs || ours.data.length !== theirs.data.length) {
    unequal.fill(1);
    return;
  }
  const width = rows === 0 ? 0 : ours.data.length / rows;
  for (let row = 0; row < rows; row++) {
    let equal = true;
    for (let index = row * width; index < (row + 1) * width; index++) {
      const [one, other] = [ours.data[index], theirs.data[index]];
      if (pair.discrete) equal &&= one === other;
      else equal = addDifference(pair, numberOf(ours, one), numberOf(theirs, other)) && equal;
    }
    if (equal) pair.equalRows++;
    else unequal[row] = 1;
  }
}

/** Whether two numbers agree; those that are both NaN do. */
function addDifference(pair: OutputPair, one: number, other: number): boolean {
  if (Number.isNaN(one) && Number.isNaN(other)) return true;
  const difference = one === other ? 0 : Math.abs(one - other);
  if (!Number.isFinite(difference)) return false;
  pair.values++;
  pair.differences += difference;
  pair.largest = Math.max(pair.largest, difference);
  return difference <= tolerance * Math.max(1, Math.abs(one), Math.abs(other));
}

function numberOf({ datatype }: Tensor, element: string | number | bigint | undefined): number {
  return datatype === 'FP16' ? fromHalfBits(Number(element)) : Number(element);
}
