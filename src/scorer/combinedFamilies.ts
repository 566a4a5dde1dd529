import type { MetricFamily, MetricSample } from '../protocol/metricFamily.ts';

/** What several processes count that answer for the same endpoint, as if one did. */
export function combineFamilies(readings: readonly (readonly MetricFamily[])[]): readonly MetricFamily[] {
  const combined = new Map<string, { family: MetricFamily; samples: Map<string, MetricSample> }>();
  for (const family of readings.flat()) {
    let entry = combined.get(family.name);
    if (!entry) {
      entry = { family, samples: new Map() };
      combined.set(family.name, entry);
    }
    for (const sample of family.samples) {
      const key = JSON.stringify([sample.suffix, Object.entries(sample.labels).sort()]);
      const known = entry.samples.get(key);
      const value = known ? across(family, known.value, sample.value) : sample.value;
      entry.samples.set(key, { ...sample, value });
    }
  }
  return [...combined.values()].map(({ family, samples }) => ({ ...family, samples: [...samples.values()] }));
}

function across({ across = 'sum' }: MetricFamily, one: number, other: number): number {
  if (across === 'least') return Math.min(one, other);
  return across === 'greatest' ? Math.max(one, other) : one + other;
}
