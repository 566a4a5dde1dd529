import assert from 'node:assert/strict';
import { type Answer, listAt, textAt } from './answers.ts';
import { openTrackingEngine, type TrackingEngine } from './trackingEngine.ts';

/** When the traces of tests are asked for, unless they say. */
export const day = '2025-01-02T03:04:05.678Z';

/** What a suite about the traces' part of the dialect asks with. */
export interface TracesOverHttp {
  /** The engine of the test that runs. */
  engine(): TrackingEngine;
  /** Asks for a path such as `3.0/mlflow/traces`, whatever it answers. */
  ask(method: string, path: string, fields?: object): Promise<Answer>;
  /** What a client sends to record a trace. */
  message(id: string, fields?: object, experimentId?: string): object;
  /** Records a trace in experiment 0. */
  record(id: string, fields?: object): Promise<Answer>;
  /** Searches the traces of experiment 0. */
  search(fields?: object): Promise<Answer>;
  /** The ids of the traces in the answer to a search. */
  idsOf(answer: Answer): string[];
  /** Writes an artifact. */
  upload(path: string, text: string): Promise<void>;
}

/** Gives each test of the suite in which it is called an engine of its own. */
export function tracesOverHttp(): TracesOverHttp {
  let engine: TrackingEngine;
  beforeEach(async () => {
    engine = await openTrackingEngine();
  });
  afterEach(() => engine.close());

  const ask: TracesOverHttp['ask'] = async (method, path, fields) => {
    const response = await engine.fetch(`/api/${path}`, {
      method,
      ...(fields && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const message: TracesOverHttp['message'] = (id, fields = {}, experimentId = '0') => ({
    trace: {
      trace_info: {
        trace_id: id,
        trace_location: { type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: experimentId } },
        request_time: day,
        execution_duration: '0.5s',
        state: 'OK',
        ...fields,
      },
    },
  });
  return {
    engine: () => engine,
    ask,
    message,
    record: (id, fields = {}) => ask('POST', '3.0/mlflow/traces', message(id, fields)),
    search: (fields = {}) =>
      ask('POST', '3.0/mlflow/traces/search', {
        locations: [{ type: 'MLFLOW_EXPERIMENT', mlflow_experiment: { experiment_id: '0' } }],
        ...fields,
      }),
    idsOf: ({ body }) => listAt(body, 'traces').map((trace) => textAt(trace, 'trace_id')),
    async upload(path, text) {
      const response = await engine.fetch(`/api/2.0/mlflow-artifacts/artifacts/${path}`, {
        method: 'PUT',
        body: text,
      });
      assert.equal(response.status, 200);
    },
  };
}
