import type { MetricFamily } from '../../protocol/metricFamily.ts';
import type { VersionCounts } from '../../protocol/scorerReading.ts';
import { combineFamilies } from '../combinedFamilies.ts';
import type { CountedEndpoint, CountedModels } from '../countedVersions.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { prometheusContentType, prometheusText } from '../prometheusText.ts';
import { guardedRoute, json, type Protocol } from '../routing.ts';
import { serverVersion } from '../serverIdentity.ts';

/** What this process counts. */
export function metricFamilies({ models, counters }: CountedModels): readonly MetricFamily[] {
  return [
    ...modelFamilies({ models, counters }),
    ...counters.requests.families(),
    ...serverFamilies(models),
    ...processFamilies(),
  ];
}

/**
 * `GET /metrics` for Prometheus: what Triton counts under Triton's names (`nv_inference_*`, labels `model` and
 * `version`; https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md), and Slipway's own
 * under `slipway_*`, `process_*` and `nodejs_*`. Triton's parts of a computation are one here: reading the request and
 * writing the answer are not in `nv_inference_compute_infer_duration_us`, and have no series.
 */
export function metrics(sources: CountedEndpoint): Protocol {
  const route = guardedRoute(async () => {
    const others = (await sources.siblings?.readings()) ?? [];
    const families = metricFamilies(sources);
    return {
      status: 200,
      contentType: prometheusContentType,
      body: prometheusText(
        others.length === 0
          ? families
          : combineFamilies([families, ...others.map((other) => other.families)]),
      ),
    };
  });
  return {
    find: (path) => (path.length === 1 ? route : null),
    owns: (path) => path.length === 1 && path[0] === 'metrics',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

interface Reading {
  readonly loaded: LoadedVersion;
  readonly counts: VersionCounts;
}

interface ModelMetric {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge';
  readonly value: (reading: Reading) => number;
  readonly labels?: Readonly<Record<string, string>>;
}

const modelMetrics: readonly ModelMetric[] = [
  {
    name: 'nv_inference_request_success',
    help: 'Number of successful inference requests, all batch sizes',
    type: 'counter',
    value: ({ counts }) => counts.success.count,
  },
  {
    name: 'nv_inference_request_failure',
    help: 'Number of failed inference requests, all batch sizes',
    type: 'counter',
    value: ({ counts }) => counts.failure.count,
    labels: { reason: 'OTHER' },
  },
  {
    name: 'nv_inference_count',
    help: 'Number of inferences performed: the rows of all requests',
    type: 'counter',
    value: ({ counts }) => counts.rowCount,
  },
  {
    name: 'nv_inference_exec_count',
    help: 'Number of model executions performed: requests that are there together share one',
    type: 'counter',
    value: ({ counts }) => counts.runCount,
  },
  {
    name: 'nv_inference_request_duration_us',
    help: 'Cumulative duration of successful inference requests in microseconds',
    type: 'counter',
    value: ({ counts }) => counts.success.microseconds,
  },
  {
    name: 'nv_inference_queue_duration_us',
    help: 'Cumulative time that inference requests waited for an execution in microseconds',
    type: 'counter',
    value: ({ counts }) => counts.queue.microseconds,
  },
  {
    name: 'nv_inference_compute_infer_duration_us',
    help: 'Cumulative time that executions took in microseconds, once for each request that shared one',
    type: 'counter',
    value: ({ counts }) => counts.compute.microseconds,
  },
  {
    name: 'nv_inference_pending_request_count',
    help: 'Instantaneous number of requests whose execution has not ended',
    type: 'gauge',
    value: ({ loaded }) => loaded.pending(),
  },
];

function modelFamilies({ models, counters }: CountedModels): readonly MetricFamily[] {
  const readings = models
    .names()
    .flatMap((name) => models.versions(name))
    .map((loaded): Reading => ({ loaded, counts: counters.of(loaded) }));
  return modelMetrics.map(({ name, help, type, value, labels }) => ({
    name,
    help,
    type,
    samples: readings.map((reading) => ({
      labels: { model: reading.loaded.name, version: String(reading.loaded.version), ...labels },
      value: value(reading),
    })),
  }));
}

function serverFamilies(models: ModelRepository): readonly MetricFamily[] {
  const loaded = models.names().flatMap((name) => models.versions(name));
  return [
    {
      ...gauge(
        'slipway_ready',
        '1 while the server takes requests, 0 while it drains.',
        Number(models.isReady()),
      ),
      across: 'greatest',
    },
    {
      name: 'slipway_server_info',
      help: 'Always 1; the label tells the version of Slipway.',
      type: 'gauge',
      across: 'greatest',
      samples: [{ labels: { version: serverVersion }, value: 1 }],
    },
    {
      name: 'slipway_model_info',
      help: 'Always 1 for each version that is loaded; the label tells the SHA-256 of its file.',
      type: 'gauge',
      across: 'greatest',
      samples: loaded.map(({ name, version, digest }) => ({
        labels: { model: name, version: String(version), digest: digest ?? '' },
        value: 1,
      })),
    },
  ];
}

function processFamilies(): readonly MetricFamily[] {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed, heapTotal, external } = process.memoryUsage();
  const uptime = process.uptime();
  return [
    {
      name: 'process_cpu_seconds_total',
      help: 'User and system CPU time that the process took, in seconds.',
      type: 'counter',
      samples: [{ labels: {}, value: (user + system) / 1e6 }],
    },
    gauge('process_resident_memory_bytes', 'Resident memory of the process in bytes.', rss),
    {
      ...gauge(
        'process_start_time_seconds',
        'Start of the process in Unix seconds.',
        Date.now() / 1e3 - uptime,
      ),
      across: 'least',
    },
    {
      ...gauge('slipway_uptime_seconds', 'Seconds since the process started.', uptime),
      across: 'greatest',
    },
    gauge('nodejs_heap_size_used_bytes', 'Heap of JavaScript in use, in bytes.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'Heap of JavaScript, in bytes.', heapTotal),
    gauge('nodejs_external_memory_bytes', 'Memory of objects outside of the heap, in bytes.', external),
  ];
}

function gauge(name: string, help: string, value: number): MetricFamily {
  return { name, help, type: 'gauge', samples: [{ labels: {}, value }] };
}
