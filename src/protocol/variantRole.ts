import { shadowVariant } from './inferenceLogTables.ts';
import { roleText } from './roleText.ts';
import type { EndpointSummary, VariantSummary } from './serving.ts';
import type { Translator } from './translator.ts';

type Endpoint = Pick<EndpointSummary, 'modelName' | 'modelVersion' | 'rollout'>;
type Variant = Pick<VariantSummary, 'name' | 'model' | 'version' | 'share'>;

/** Whether a variant was asked earlier and is not now: another version took its place, or its rollout ended. */
export function isReplaced({ name, model, version, share }: Variant, endpoint: Endpoint): boolean {
  if (share !== 0 || model !== endpoint.modelName) return false;
  const current = name === 'stable' ? endpoint.modelVersion : endpoint.rollout?.candidateVersion;
  return version !== current;
}

/**
 * The variants of an endpoint with each version once, by what it is now: what it was earlier, or is only when asked by
 * its number, adds to its counters. Copies that a shadow heard are no requests that the version answered, nor the other
 * way round, so those do not add up.
 */
export function shownVariants(
  endpoint: Pick<EndpointSummary, 'modelName' | 'modelVersion' | 'rollout' | 'variants'>,
): readonly VariantSummary[] {
  const rank = (variant: VariantSummary) => {
    if (isReplaced(variant, endpoint)) return 3;
    if (variant.name === 'version') return 2;
    return variant.share === 0 ? 1 : 0;
  };
  const shown = new Map<string, VariantSummary>();
  // What it is now comes first, so that the others add to it; equal ones keep their order.
  for (const variant of [...endpoint.variants].sort((one, other) => rank(one) - rank(other))) {
    const key = `${variant.version} ${variant.model}`;
    const now = shown.get(key);
    shown.set(key, now === undefined ? variant : together(now, variant));
  }
  return [...shown.values()];
}

function together(now: VariantSummary, other: VariantSummary): VariantSummary {
  if ((now.name === shadowVariant) !== (other.name === shadowVariant)) return now;
  return {
    ...now,
    requestCount: now.requestCount + other.requestCount,
    errorCount: now.errorCount + other.errorCount,
    rate: now.rate + other.rate,
    latencyP50: now.latencyP50 ?? other.latencyP50,
    latencyP99: now.latencyP99 ?? other.latencyP99,
  };
}

/** What a variant is there for, as things stand: `stable` is one version only. */
export function variantRole(variant: Variant, endpoint: Endpoint, l10n: Translator): string {
  return isReplaced(variant, endpoint) ? l10n.t('no longer asked') : roleText(variant.name, l10n);
}
