import { setImmediate as turn } from 'node:timers/promises';
import { SlipwayError } from '../../protocol/errors.ts';
import type { MetricSeriesStore, SeriesPart, StoredPoint } from './metricSeriesStore.ts';

/** How many points are read at once: some five milliseconds of work, so that other requests need not wait for long. */
const pointsPerPiece = 5_000;

/**
 * Reads a part of a series in order, piece by piece, and lets other work in between. Points that are logged meanwhile
 * are read when they lie ahead.
 *
 * @param signal ends the reading when it is aborted
 * @throws SlipwayError `cancelled` when it was
 */
export async function* readSeries(
  store: MetricSeriesStore,
  series: number,
  part: SeriesPart,
  signal?: AbortSignal,
): AsyncGenerator<readonly StoredPoint[], void, void> {
  let last: StoredPoint | null = null;
  for (;;) {
    const piece = store.piece(series, part, last, pointsPerPiece);
    if (piece.length > 0) yield piece;
    last = piece.at(-1) ?? null;
    if (piece.length < pointsPerPiece) return;
    await turn();
    if (signal?.aborted) throw new SlipwayError('cancelled');
  }
}
