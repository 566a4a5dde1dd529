import type { EngineParams } from '../../src/protocol/engine.ts';
import { detail } from '../../src/protocol/errorDetails.ts';
import type { LoadTestReport, LoadTestStep } from '../../src/protocol/loadTest.ts';
import type {
  EndpointDescription,
  EndpointEvent,
  EndpointLive,
  EndpointSummary,
  RolloutSummary,
} from '../../src/protocol/serving.ts';
import type { FakeHost } from './fakeHost.ts';

const second = 1000;
const minute = 60 * second;

/** An endpoint with traffic, as the engine would tell it. */
export interface EndpointFixture extends FakeHost {
  endpoint: EndpointSummary;
  shadows: EndpointLive['shadows'];
  rollouts: RolloutSummary[];
  events: EndpointEvent[];
  /** Requests a second of the candidate and of the stable version at a moment; null of one without a candidate. */
  traffic: (time: number) => { readonly stable: number; readonly candidate: number | null };
  /** Replaces the answer to `serving/loadTest`. */
  loadTest: (params: object) => LoadTestReport | Promise<LoadTestReport>;
}

/** A canary in its second step: version 7 comes in beside version 6. */
export function createEndpoint(): EndpointFixture {
  const opened = Date.now();
  const stepped = opened - 80 * second;
  const fixture: EndpointFixture = {
    subject: { page: 'endpoint', folder: 'file:///work', endpoint: 'churn' },
    trusted: true,
    endpoint: canary(opened),
    shadows: [],
    rollouts: [
      rollout({
        id: 3,
        stableVersion: 5,
        candidateVersion: 6,
        state: 'promoted',
        reason: [{ text: 'All checks passed at every step.' }],
        endedAt: opened - 3 * 86_400_000,
        startedAt: opened - 3 * 86_400_000 - 4 * minute,
      }),
    ],
    events: [
      event(4, stepped, 'analysis', 'stepped', 'Version 7 gets 25% of the requests.'),
      event(3, opened - 150 * second, 'ada', 'rolloutStarted', 'Version 7 comes in with 5% of the requests.'),
      event(2, opened - 40 * minute, 'ada', 'started', 'Version 6 answers at http://127.0.0.1:49152.'),
      event(1, opened - 3 * 86_400_000, 'analysis', 'promoted', 'Version 6 took the place of version 5.'),
    ],
    traffic: (time) => {
      const all = 40 + 12 * Math.sin(time / 20_000) + 6 * Math.sin(time / 3_700);
      const share = time < opened - 150 * second ? 0 : time < stepped ? 0.05 : 0.25;
      return { stable: Math.round(all * (1 - share)), candidate: Math.round(all * share) };
    },
    loadTest: () => loadTestReport(),
    answer({ method, params }) {
      if (method === 'serving/live') return liveOf(fixture, params as EngineParams<'serving/live'>);
      if (method === 'serving/describe') return descriptionOf(fixture.endpoint);
      if (method === 'serving/loadTest') return fixture.loadTest(params);
      throw new Error(`The endpoint page may not ask for ${method}.`);
    },
  };
  return fixture;
}

/** The same endpoint without a rollout, asked nothing yet. */
export function createQuietEndpoint(): EndpointFixture {
  const fixture = createEndpoint();
  const { endpoint } = fixture;
  fixture.endpoint = {
    ...endpoint,
    requestCount: 0,
    errorCount: 0,
    rate: 0,
    latencyP50: null,
    latencyP99: null,
    rollout: null,
    follows: { type: 'pinned' },
    declared: false,
    variants: [
      {
        ...(endpoint.variants[0] ?? fail()),
        share: 1,
        requestCount: 0,
        errorCount: 0,
        rate: 0,
        latencyP50: null,
        latencyP99: null,
      },
    ],
  };
  fixture.rollouts = [];
  fixture.events = fixture.events.slice(2, 3);
  fixture.traffic = () => ({ stable: 0, candidate: null });
  return fixture;
}

/** What shadows found: labels that mostly agree, and a probability beside. */
export const shadowFindings: EndpointLive['shadows'] = [
  {
    model: 'churn',
    stableVersion: 6,
    shadowVersion: 7,
    comparedRows: 4_120,
    equalRows: 4_046,
    outputs: [
      { name: 'label', equalRows: 4_101, meanAbsoluteDifference: null, largestAbsoluteDifference: null },
      {
        name: 'probability',
        equalRows: null,
        meanAbsoluteDifference: 0.002_131,
        largestAbsoluteDifference: 0.218_4,
      },
    ],
    failedRequests: 2,
    skippedRequests: 11,
  },
];

/** What the engine answers: 320 requests a second hold, 450 do not. */
export function loadTestReport(): LoadTestReport {
  return {
    endpoint: 'churn',
    plan: { firstRate: 10, lastRate: 5000, seconds: 3, latencyLimit: 50 },
    startedAt: Date.now(),
    steps: loadTestSteps,
    highestRate: 320,
  };
}

export const loadTestSteps: readonly LoadTestStep[] = [
  loadTestStep(10, 1.4, 2.1, 2.6),
  loadTestStep(20, 1.4, 2.0, 2.4),
  loadTestStep(40, 1.3, 1.9, 2.9),
  loadTestStep(80, 1.5, 2.4, 3.8),
  loadTestStep(160, 1.8, 3.6, 6.2),
  loadTestStep(320, 2.9, 11.4, 24.8),
  { ...loadTestStep(640, 412, 890, 934), errorCount: 31, holds: false },
  { ...loadTestStep(450, 16, 71, 122), holds: false },
];

function loadTestStep(rate: number, p50: number, p95: number, p99: number): LoadTestStep {
  return {
    rate,
    sentCount: rate * 3,
    errorCount: 0,
    answeredRate: rate * 0.998,
    latencyP50: p50,
    latencyP95: p95,
    latencyP99: p99,
    latencyMax: p99 * 1.3,
    lateP99: 0.4,
    holds: true,
  };
}

function canary(now: number): EndpointSummary {
  return {
    name: 'churn',
    modelName: 'churn',
    modelVersion: 6,
    state: 'ready',
    url: 'http://127.0.0.1:49152',
    grpcAddress: '127.0.0.1:49153',
    readySince: now - 40 * minute,
    requestCount: 98_214,
    errorCount: 12,
    rate: 41.3,
    latencyP50: 1.84,
    latencyP99: 6.2,
    variants: [
      {
        name: 'stable',
        model: 'churn',
        version: 6,
        share: 0.75,
        requestCount: 96_012,
        errorCount: 9,
        rate: 31.1,
        latencyP50: 1.82,
        latencyP99: 5.9,
      },
      {
        name: 'candidate',
        model: 'churn',
        version: 7,
        share: 0.25,
        requestCount: 2_202,
        errorCount: 3,
        rate: 10.2,
        latencyP50: 1.97,
        latencyP99: 7.4,
      },
    ],
    rollout: rollout({
      id: 4,
      startedAt: now - 150 * second,
      stepSince: now - 80 * second,
      checks: [
        {
          metric: 'errorRate',
          verdict: 'passed',
          candidateValue: 0.0014,
          stableValue: 0.0001,
          candidateSamples: 2_202,
          stableSamples: 9_411,
          minimumSamples: 50,
          pValue: 0.412,
          failures: 0,
          dryRun: false,
          said: [{ text: 'No sign that version 7 fails more often than version 6.' }],
        },
        {
          metric: 'latencyP99',
          verdict: 'passed',
          candidateValue: 7.4,
          stableValue: 5.9,
          candidateSamples: 2_202,
          stableSamples: 9_411,
          minimumSamples: 100,
          pValue: null,
          failures: 0,
          dryRun: false,
          said: [{ text: '1.25 times that of version 6, at most 2 are allowed.' }],
        },
        {
          metric: 'quality',
          verdict: 'inconclusive',
          candidateValue: null,
          stableValue: null,
          candidateSamples: 32,
          stableSamples: 140,
          minimumSamples: 100,
          pValue: null,
          failures: 0,
          dryRun: true,
          said: [{ text: 'Labels of 32 requests have come so far.' }],
        },
      ],
    }),
    follows: { type: 'stage', stage: 'Production' },
    declared: true,
    failure: null,
  };
}

function rollout(changes: Partial<RolloutSummary>): RolloutSummary {
  return {
    id: 1,
    endpoint: 'churn',
    model: 'churn',
    stableVersion: 6,
    candidateVersion: 7,
    strategy: 'canary',
    state: 'running',
    reason: null,
    step: 1,
    stepCount: 3,
    share: 0.25,
    checks: [],
    startedAt: 0,
    stepSince: 0,
    endedAt: null,
    ...changes,
  };
}

function event(id: number, when: number, who: string, kind: string, sentence: string): EndpointEvent {
  return { id, endpoint: 'churn', when, who, kind, said: [{ text: sentence }] };
}

/** Whole seconds since a moment, as the engine answers. */
function liveOf(fixture: EndpointFixture, { from }: EngineParams<'serving/live'>): EndpointLive {
  const { endpoint, shadows, rollouts, events } = fixture;
  const end = Math.floor(Date.now() / second);
  const begin = Math.max(Math.ceil(from / second), end - 900);
  const seconds = Array.from({ length: Math.max(0, end - begin) }, (_, index) => begin + index);
  const times = seconds.map((at) => at * second);
  const counts = times.map(fixture.traffic);
  const variant = (name: 'stable' | 'candidate', version: number, slower: number) => {
    const requests = counts.map((count) => count[name] ?? 0);
    const latency = (base: number, swing: number) =>
      times.map((time, index) =>
        requests[index] === 0
          ? null
          : base * slower * (1 + swing * Math.abs(Math.sin(time / 7_300 + version))),
      );
    return {
      name,
      model: 'churn',
      version,
      requests,
      errors: times.map((time, index) =>
        requests[index] !== 0 && (time / second) % (47 * version) === 0 ? 1 : 0,
      ),
      latencyP50: latency(1.8, 0.1),
      latencyP95: latency(3.4, 0.3),
      latencyP99: latency(5.1, 0.7),
    };
  };
  const all = [variant('stable', 6, 1), variant('candidate', 7, 1.15)];
  return {
    endpoint,
    times,
    variants: all.filter(({ requests }) => requests.some((count) => count > 0)),
    shadows,
    rollouts,
    events,
  };
}

function descriptionOf(endpoint: EndpointSummary): EndpointDescription {
  return {
    endpoint,
    inputs: [
      { name: 'tenure', datatype: 'FP32', shape: [-1, 1] },
      { name: 'contract', datatype: 'BYTES', shape: [-1, 1] },
    ],
    outputs: [
      { name: 'label', datatype: 'INT64', shape: [-1] },
      { name: 'probability', datatype: 'FP32', shape: [-1, 2] },
    ],
    versions: [
      {
        name: 'churn',
        version: 6,
        inputs: [],
        outputs: [],
        exampleRequest: '{}',
        facts: [
          { name: 'opset', value: 'ai.onnx 17, ai.onnx.ml 3' },
          { name: 'producer', value: 'skl2onnx 1.20' },
        ],
        warnings: [
          'The output "probability" was a ZipMap; it is answered as a table of its values.',
          detail('outputLeftOut', { name: 'list', type: detail('sequence') }),
        ],
      },
    ],
    inferUrl: 'http://127.0.0.1:49152/v2/models/churn/infer',
    exampleRequest:
      '{\n  "inputs": [\n    {"name": "tenure", "shape": [1, 1], "datatype": "FP32", "data": [0.5]},\n    {"name": "contract", "shape": [1, 1], "datatype": "BYTES", "data": ["one year"]}\n  ]\n}',
    token: 'secret',
  };
}

function fail(): never {
  throw new Error('The fixture has a stable variant.');
}
