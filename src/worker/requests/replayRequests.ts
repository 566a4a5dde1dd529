import { columnJson, outputsJson } from '../../inference/columns.ts';
import { loadModel, type Model } from '../../inference/model.ts';
import { createPredictor, type Predictor } from '../../inference/predictor.ts';
import { openPythonModel } from '../../inference/python/pythonModel.ts';
import { loadRuntime } from '../../inference/runtime.ts';
import { shortestFloats } from '../../inference/shortestFloats.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ReplayReport } from '../../protocol/requests.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';
import { loggedFeeds } from './loggedFeeds.ts';
import { createReplayComparison } from './replayComparison.ts';
import { openRequestRows, type RequestRow, type RequestRows } from './requestRows.ts';

type ReplayJob = WorkerJobOf<'replayRequests'>;

/** Requests that are asked at a time: they share runs, as those of clients do. */
const requestsAtOnce = 64;
const keptFailures = 10;
const runMilliseconds = 600_000;

/**
 * Asks a version what clients asked before, and compares its predictions with those that they got.
 *
 * @throws SlipwayError `noLoggedRequests` when nothing fits the filter, `modelUnreadable`, `inferenceLogUnreadable`.
 */
export async function replayRequests(
  job: ReplayJob,
  progress: (fraction: number, message: string) => void,
): Promise<ReplayReport> {
  const log = openRequestRows(job.inferenceLog, job.endpoint);
  try {
    return await replay(job, log, progress);
  } finally {
    log.close();
  }
}

async function replay(
  job: ReplayJob,
  log: RequestRows,
  progress: (fraction: number, message: string) => void,
): Promise<ReplayReport> {
  const selection = {
    ...job.filter,
    failed: false,
    model: job.model.name,
    // Who asks for the shadow's requests by name gets them.
    withoutShadow: job.filter.variant === null,
  };
  const selected = log.latest(selection, job.limit);
  if (selected.count === 0) throw new SlipwayError('noLoggedRequests', { endpoint: job.endpoint });
  const model = await openModel(job);
  try {
    const predictor = await createPredictor(model, job.model.columns ?? null);
    const comparison = createReplayComparison(
      predictor.outputs.filter(({ datatype }) => /^U?INT/.test(datatype)).map(({ name }) => name),
    );
    const versions = new Set<number>();
    const failures: { requestId: string; reason: string }[] = [];
    let failedRequests = 0;
    let requests = 0;
    const ask = async (request: RequestRow): Promise<void> => {
      if (request.version !== null) versions.add(request.version);
      // Nothing was predicted.
      if (request.rowCount === 0) return;
      try {
        comparison.add(request, await predictionOf(predictor, request));
      } catch (error) {
        failedRequests += 1;
        const reason = error instanceof Error ? error.message : String(error);
        if (failures.length < keptFailures) failures.push({ requestId: request.requestId, reason });
      }
    };
    for (const some of inGroups(selected.rows())) {
      await Promise.all(some.map(ask));
      requests += some.length;
      progress(requests / selected.count, '');
    }
    return {
      model: job.model.name,
      version: job.model.version,
      loggedVersions: [...versions].sort((left, right) => left - right),
      requests,
      failedRequests,
      failures,
      ...comparison.report(),
    };
  } finally {
    await model.close();
  }
}

async function openModel({ model: { name, version, source } }: ReplayJob): Promise<Model> {
  return source.type === 'onnx'
    ? loadModel(await loadRuntime(), { name, version, file: source.file })
    : openPythonModel({ name, version, ...source, runMilliseconds });
}

/** The outputs as the log would hold them. */
async function predictionOf(predictor: Predictor, { inputs }: RequestRow): Promise<string> {
  const outputs = await predictor.predict(loggedFeeds(predictor, inputs));
  return outputsJson(outputs.map(shortestFloats), predictor.outputs, columnJson);
}

function* inGroups(rows: Iterable<RequestRow>): Iterable<readonly RequestRow[]> {
  let group: RequestRow[] = [];
  for (const row of rows) {
    group.push(row);
    if (group.length < requestsAtOnce) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}
