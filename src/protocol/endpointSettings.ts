import { z } from 'zod';
import { type Detail, detail, errorDetails, worded } from './errorDetails.ts';
import { hostName } from './hostName.ts';
import { stages } from './registry.ts';
import { longestTimer } from './scorer.ts';

/**
 * The section `endpoints` of `slipway.yaml`: what each endpoint serves and how a new version comes in. Everything has a
 * default, so `endpoints: { wine: {} }` serves the model `wine` in its stage Production, and follows it.
 */

const versionForms = detail('expectedForms', {
  first: `{ stage: ${stages.join(' | ')} }`,
  second: '{ alias: NAME }',
  third: '{ version: NUMBER }',
});
const stickyForms = detail('expectedForms', {
  first: '{ header: NAME }',
  second: '{ cookie: NAME }',
  third: '{ parameter: NAME }',
});

/** What settings of a form of their own are refused with: the parser only hands the English text on. */
export const refusedForms: readonly Detail[] = [
  versionForms,
  stickyForms,
  detail('expectedDuration'),
  detail('expectedHold'),
  detail('expectedSize'),
  detail('expectedHostName'),
  detail('expectedPort'),
];

/** What a check of several settings, or of a bound, says is wrong. */
function refusal(said: Detail) {
  return { message: String(worded(said)), params: { detail: said } };
}

/** Names a version: by stage or alias it moves with the registry, by number it stays pinned. */
export const versionChoice = z
  .union(
    [
      z.strictObject({ stage: z.enum(stages) }),
      z.strictObject({ alias: z.string().min(1) }),
      z.strictObject({ version: z.number().int().positive() }),
    ],
    { error: String(worded(versionForms)) },
  )
  .meta({ description: 'A version: by stage or alias it moves with the registry, by number it stays.' });
export type VersionChoice = z.infer<typeof versionChoice>;

/** Such as `500ms`, `30s`, `10m`, `2h`, `7d`; gives milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/, { error: errorDetails.expectedDuration })
  .transform(milliseconds);

/** One that a timer can wait for. */
const timeLimit = duration.refine(
  (each) => each >= 1 && each <= longestTimer,
  refusal(detail('expectedTimeLimit')),
);

/** Such as `500KB`, `64MB`, `2GB`; gives bytes, with 1,000 bytes in a KB. */
export const byteSize = z
  .string()
  .regex(/^\d+(?:\.\d+)?(?:B|KB|MB|GB|TB)$/, { error: errorDetails.expectedSize })
  .transform(bytes);

const share = z.number().min(0).max(100);

export const checkMetrics = [
  'errorRate',
  'latencyP50',
  'latencyP95',
  'latencyP99',
  'predictionDrift',
  'quality',
  'reward',
  'agreement',
] as const;

/** The bounds that a check may have. Without one those of errors, quality and rewards ask a sequential test. */
const boundsOf: Readonly<
  Record<(typeof checkMetrics)[number], readonly ('min' | 'max' | 'minRatio' | 'maxRatio')[]>
> = {
  errorRate: ['max', 'maxRatio'],
  latencyP50: ['max', 'maxRatio'],
  latencyP95: ['max', 'maxRatio'],
  latencyP99: ['max', 'maxRatio'],
  predictionDrift: ['max'],
  quality: ['min', 'max', 'minRatio', 'maxRatio'],
  reward: ['min', 'max', 'minRatio', 'maxRatio'],
  agreement: ['min'],
};
const needsBound = /^(?:latency|agreement)/;

const checkFields = z.strictObject({
  /**
   * - `errorRate`: share of requests that failed (status 500 and more), compared by a sequential test.
   * - `latencyP50`, `latencyP95`, `latencyP99`: milliseconds.
   * - `predictionDrift`: population stability index between the predictions of both.
   * - `quality`: share of right answers (labels) or mean absolute error (numbers) against labels that came later.
   * - `reward`: mean of the rewards that clients sent, a business figure.
   * - `agreement`: share of rows on which candidate or shadow and stable version agree on the same inputs.
   */
  metric: z.enum(checkMetrics),
  /** The candidate's own value may not be above (`max`) or below (`min`) this. */
  max: z.number().optional(),
  min: z.number().optional(),
  /** The candidate's value, divided by the stable one's, may not be above or below this. */
  maxRatio: z.number().positive().optional(),
  minRatio: z.number().positive().optional(),
  /** Requests (or labels, or rewards) of each version that a judgement needs. */
  minimumSamples: z.number().int().positive().default(100),
  /** So many failed looks, one after the other, end the rollout. */
  failureLimit: z.number().int().min(1).default(1),
  /** So many looks without a judgement pause it. */
  inconclusiveLimit: z.number().int().min(1).default(10),
  /** Only tells; decides nothing. */
  dryRun: z.boolean().default(false),
});

/** One thing that an analysis looks at. */
export const rolloutCheck = checkFields.superRefine((check, context) => {
  const allowed = boundsOf[check.metric];
  const given = (['min', 'max', 'minRatio', 'maxRatio'] as const).filter(
    (bound) => check[bound] !== undefined,
  );
  for (const bound of given.filter((name) => !allowed.includes(name))) {
    const said = detail('boundNotTaken', { metric: check.metric, bounds: allowed, bound });
    context.addIssue({ code: 'custom', path: [bound], ...refusal(said) });
  }
  if (given.length === 0 && needsBound.test(check.metric)) {
    const [one = '', other] = allowed;
    const said =
      other === undefined
        ? detail('boundNeeded', { metric: check.metric, bound: one })
        : detail('boundOfTwoNeeded', { metric: check.metric, one, other });
    context.addIssue({ code: 'custom', ...refusal(said) });
  }
});
export type RolloutCheck = z.infer<typeof rolloutCheck>;

/** One step of a canary: the share in percent, and how long it is looked at. */
export const rolloutStep = z.strictObject({
  share,
  /** At least so long, and until every check has its samples. */
  hold: z.union([duration, z.literal('confirm')], { error: errorDetails.expectedHold }).prefault('1m'),
});
export type RolloutStep = z.infer<typeof rolloutStep>;

/** Milliseconds. Looks that come closer together would keep the engine from everything else. */
const leastInterval = 50;

const planFields = z.strictObject({
  /**
   * - `canary`: steps, each judged; at the end the candidate becomes the stable version.
   * - `abTest`: a fixed split until a sequential test of the goal decides, or `atMost` is over.
   * - `shadow`: only hears what the stable version is asked, then is judged.
   * - `bandit`: Thompson sampling on rewards moves the shares; it is no evidence and never decides.
   * - `direct`: all at once.
   */
  strategy: z.enum(['canary', 'abTest', 'shadow', 'bandit', 'direct']).default('canary'),
  steps: z
    .array(rolloutStep)
    .min(1)
    .prefault([
      { share: 5, hold: '1m' },
      { share: 25, hold: '1m' },
      { share: 50, hold: '1m' },
    ]),
  /** Of an A/B test, a bandit and a shadow: the candidate's share at the start, in percent. */
  share: share.default(50),
  /** Of an A/B test: what decides. */
  goal: z.enum(['reward', 'quality', 'errorRate']).default('reward'),
  /** Of an A/B test and a shadow: when it ends without a decision it pauses. */
  atMost: duration.prefault('7d'),
  /** How often the checks look. */
  interval: duration
    .refine((each) => each >= leastInterval, refusal(detail('expectedInterval')))
    .prefault('10s'),
  /** The error rate at which the sequential tests may be wrong. */
  significance: z.number().gt(0).lt(0.5).default(0.05),
  checks: z.array(rolloutCheck).prefault([
    { metric: 'errorRate', minimumSamples: 50 },
    { metric: 'latencyP99', maxRatio: 2, failureLimit: 3 },
  ]),
  /** Promotes in the registry, too, when it succeeds: the version moves to Production. */
  promote: z.boolean().default(false),
});

/** How a new version comes in. */
export const rolloutPlan = planFields.superRefine(({ strategy, checks }, context) => {
  for (const [index, { metric }] of checks.entries()) {
    if (metric !== 'agreement' || strategy === 'shadow') continue;
    const path = ['checks', index, 'metric'];
    context.addIssue({ code: 'custom', path, ...refusal(detail('agreementNeedsShadow')) });
  }
});
export type RolloutPlan = z.infer<typeof rolloutPlan>;
export type RolloutPlanInput = z.input<typeof rolloutPlan>;

const sticky = z
  .union(
    [
      z.strictObject({ header: z.string().min(1) }),
      z.strictObject({ cookie: z.string().min(1) }),
      z.strictObject({ parameter: z.string().min(1) }),
    ],
    { error: String(worded(stickyForms)) },
  )
  .meta({ description: 'Where a request carries the key with which it always meets the same version.' });

/** One endpoint. */
export const endpointSettings = z.strictObject({
  /** Default: the endpoint's name. */
  model: z.string().min(1).optional(),
  stable: versionChoice.default({ stage: 'Production' }),
  /** A version beside it: a change of it in the registry begins a rollout. */
  candidate: versionChoice.optional(),
  /** What a change of `stable` in the registry does: a rollout of the new version, or nothing. */
  follow: z.boolean().default(true),
  rollout: rolloutPlan.prefault({}),
  sticky: sticky.optional(),
  shadow: z.strictObject({ of: versionChoice, share: share.default(100) }).optional(),
  /** Other models that the same address answers. */
  models: z.array(z.strictObject({ model: z.string().min(1), of: versionChoice })).default([]),
  port: z.number().int().min(1).max(65_535).optional(),
  hosts: z.array(hostName).default([]).meta({
    description: 'Host names besides localhost by which it is asked, such as that of a proxy before it.',
  }),
  /** The Open Inference Protocol over gRPC: a port, or `auto` for a free one. */
  grpc: z
    .union([z.number().int().min(1).max(65_535), z.literal('auto')], { error: errorDetails.expectedPort })
    .optional(),
  runtime: z
    .strictObject({
      threads: z.number().int().min(1).max(256).default(1),
      processes: z.number().int().min(1).max(64).default(1),
      batchRows: z.number().int().min(1).max(65_536).default(1024),
    })
    .prefault({}),
  limits: z
    .strictObject({
      body: byteSize.prefault('64MB'),
      requests: z.number().int().positive().default(1024),
      run: timeLimit.prefault('60s'),
      load: timeLimit.prefault('5m'),
    })
    .prefault({}),
  log: z
    .strictObject({
      enabled: z.boolean().default(true),
      /** Percent of the requests. */
      sample: share.default(100),
      redact: z.array(z.string().min(1)).default([]),
      keep: z.strictObject({ age: duration.optional(), size: byteSize.prefault('4GB') }).prefault({}),
    })
    .prefault({}),
});
export type EndpointSettings = z.infer<typeof endpointSettings>;
export type EndpointSettingsInput = z.input<typeof endpointSettings>;

export const endpointsSettings = z.record(z.string().min(1).max(256), endpointSettings);

/** The name of the file, in the workspace folder. */
export const settingsFile = 'slipway.yaml';

/** Something wrong in a settings file, and where; lines and columns count from 1. */
export interface SettingsProblem {
  readonly line: number;
  readonly column: number;
  /** Which setting, what was expected, and what is there; a plain text is what the parser of YAML says. */
  readonly detail: string | Detail;
}

/** All of `slipway.yaml`. */
export const slipwaySettings = z.strictObject({
  endpoints: endpointsSettings
    .default({})
    .meta({ description: 'What each endpoint serves, by its name, and how a new version comes in.' }),
});
export type SlipwaySettings = z.infer<typeof slipwaySettings>;

function milliseconds(text: string): number {
  const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
  const unit = text.replace(/^[\d.]+/, '');
  return Math.round(Number.parseFloat(text) * (units[unit] ?? 1));
}

function bytes(text: string): number {
  const units: Readonly<Record<string, number>> = { B: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 };
  const unit = text.replace(/^[\d.]+/, '');
  return Math.round(Number.parseFloat(text) * (units[unit] ?? 1));
}
