import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { FastifyReply } from 'fastify';
import type { MetricHistoryRequest } from '../tracking/metricHistories.ts';
import type { TrackingService } from '../tracking/service.ts';
import type { Metric, Page } from '../tracking/types.ts';
import { answerJson } from './answer.ts';
import { encodeDouble, encodeInt64, encodeList, encodeText } from './dialect.ts';

/** The largest double, which MLflow keeps and tells in place of an infinity. */
const largest = Number.MAX_VALUE;

/** How many points are read and written at once: some five milliseconds of work. */
const pointsPerPiece = 5000;

/** A metric as MLflow tells it: NaN as text, an infinity as the largest double. */
export function encodeMetric({ key, value, timestamp, step }: Metric): object {
  return { key, value: encodeValue(value), timestamp: encodeInt64(timestamp), step: encodeInt64(step) };
}

/**
 * Answers with the history of a metric. A long one leaves piece by piece, so that a million points neither stand in
 * memory at once nor keep other requests waiting.
 */
export function answerHistory(
  reply: FastifyReply,
  tracking: TrackingService,
  request: MetricHistoryRequest,
): FastifyReply {
  const maxResults = Math.min(request.maxResults, pointsPerPiece);
  const first = tracking.metricHistory({ ...request, maxResults });
  if (first.nextPageToken === null || request.maxResults <= pointsPerPiece) {
    return answerJson(reply, 200, {
      metrics: encodeList(first.items.map(encodeMetric)),
      next_page_token: encodeText(first.nextPageToken),
    });
  }
  const pieces = writePieces(tracking, request, first);
  return reply.code(200).header('content-type', 'application/json').send(Readable.from(pieces));
}

async function* writePieces(
  tracking: TrackingService,
  request: MetricHistoryRequest,
  first: Page<Metric>,
): AsyncGenerator<string, void, void> {
  let page = first;
  let missing = request.maxResults - page.items.length;
  yield `{"metrics": [${writeMetrics(page.items)}`;
  while (page.nextPageToken !== null && missing > 0) {
    await turn();
    const maxResults = Math.min(missing, pointsPerPiece);
    page = tracking.metricHistory({ ...request, pageToken: page.nextPageToken, maxResults });
    missing -= page.items.length;
    if (page.items.length > 0) yield `,${writeMetrics(page.items)}`;
  }
  yield page.nextPageToken === null ? ']}' : `], "next_page_token": ${JSON.stringify(page.nextPageToken)}}`;
}

/** The points of one metric as the inside of a JSON list. */
function writeMetrics(points: readonly Metric[]): string {
  const key = JSON.stringify(points[0]?.key);
  return points
    .map(
      ({ value, timestamp, step }) =>
        `{"key":${key},"value":${JSON.stringify(encodeValue(value))},"timestamp":${timestamp},"step":${step}}`,
    )
    .join(',');
}

function encodeValue(value: number): number | string {
  const isInfinite = Math.abs(value) === Number.POSITIVE_INFINITY;
  return encodeDouble(isInfinite ? Math.sign(value) * largest : value);
}
