import { shadowVariant } from '../../protocol/inferenceLogTables.ts';
import type {
  EndpointFollows,
  EndpointSummary,
  RolloutSummary,
  VariantSummary,
} from '../../protocol/serving.ts';
import { reachableHost } from '../../supervision/reachableHost.ts';
import { add, emptyTotals, keyOf, type VariantTotals } from './endpointStatistics.ts';
import { milliseconds, recentBegin } from './liveSeries.ts';
import type { Supervisor } from './supervisorTypes.ts';
import type { EndpointDefinition } from './types.ts';

export interface SummaryFacts {
  readonly definition: EndpointDefinition;
  readonly supervisor: Supervisor;
  readonly host: string;
  readonly rollout: RolloutSummary | null;
  readonly follows: EndpointFollows;
  readonly declared: boolean;
}

const rateMilliseconds = 10_000;
const latencyMilliseconds = 60_000;

/** What there is to say of an endpoint at a moment. */
export function endpointSummary(facts: SummaryFacts, now: number): EndpointSummary {
  const { definition, supervisor, host, rollout, follows, declared } = facts;
  const status = supervisor.status();
  const { variants: totals, refusedCount } = supervisor.statistics();
  const forRate = supervisor.live.recent(rateMilliseconds, now);
  const rateSeconds = (now - recentBegin(rateMilliseconds, now)) / 1000;
  const forLatency = supervisor.live.recent(latencyMilliseconds, now);
  const asked = totals.filter(({ variant }) => variant !== shadowVariant);
  const shares = sharesOf(supervisor);
  const known = new Map<string, Pick<VariantTotals, 'model' | 'version' | 'variant'>>(shares);
  for (const variant of totals) known.set(keyOf(variant), variant);
  const variants = [...known].map(([key, { model, version, variant }]): VariantSummary => {
    const total = totals.find((candidate) => keyOf(candidate) === key);
    return {
      name: variant,
      model,
      version,
      share: shares.get(key)?.share ?? (variant === 'version' ? null : 0),
      requestCount: total?.requestCount ?? 0,
      errorCount: total?.errorCount ?? 0,
      rate: (forRate.get(key)?.requestCount ?? 0) / rateSeconds,
      latencyP50: milliseconds(forLatency.get(key), 0.5),
      latencyP99: milliseconds(forLatency.get(key), 0.99),
    };
  });
  const all = sumOf([...forLatency.values()].filter(({ variant }) => variant !== shadowVariant));
  return {
    name: definition.name,
    modelName: definition.modelName,
    modelVersion: definition.modelVersion,
    state: status.state,
    url: status.port === null ? null : `http://${reachableHost(host)}:${status.port}`,
    grpcAddress: status.grpcPort === null ? null : `${reachableHost(host)}:${status.grpcPort}`,
    readySince: status.readySince,
    requestCount: asked.reduce((sum, { requestCount }) => sum + requestCount, refusedCount),
    errorCount: asked.reduce((sum, { errorCount }) => sum + errorCount, refusedCount),
    rate: variants.filter(({ name }) => name !== shadowVariant).reduce((sum, { rate }) => sum + rate, 0),
    latencyP50: milliseconds(all, 0.5),
    latencyP99: milliseconds(all, 0.99),
    // What is not led anywhere any more and was only asked by its number says nothing by itself.
    variants: variants.filter(({ share, requestCount }) => (share ?? 0) > 0 || requestCount > 0),
    rollout,
    follows,
    declared,
    failure: status.failure,
  };
}

interface Share {
  readonly model: string;
  readonly version: number;
  readonly variant: string;
  readonly share: number;
}

/** The shares of traffic by `keyOf`. */
function sharesOf(supervisor: Supervisor): ReadonlyMap<string, Share> {
  const shares = new Map<string, Share>();
  for (const { model, variants, shadow } of supervisor.serving()?.traffic ?? []) {
    const all = [
      ...variants.map(({ name, version, share }) => ({ model, version, variant: name, share })),
      ...(shadow ? [{ model, version: shadow.version, variant: shadowVariant, share: shadow.share }] : []),
    ];
    for (const share of all) shares.set(keyOf(share), share);
  }
  return shares;
}

function sumOf(totals: readonly VariantTotals[]): VariantTotals | undefined {
  const [first] = totals;
  if (!first) return undefined;
  const sum = emptyTotals(first);
  for (const each of totals) add(sum, each);
  return sum;
}
