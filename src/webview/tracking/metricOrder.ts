import { systemMetricPrefix } from '../../protocol/systemMetrics.ts';
import type { MetricSummary } from '../../protocol/tracking.ts';

/** The metrics of a page in the order in which they stand there. */
export interface ArrangedMetrics {
  /** Metrics of one point. */
  readonly numbers: readonly MetricSummary[];
  /** Metrics of several points. */
  readonly curves: readonly MetricSummary[];
  /** What MLflow logs of the machine, such as its memory. */
  readonly system: readonly MetricSummary[];
}

/** Groups the metrics whose name contains `filter`; the main metric comes first, the others by name. */
export function arranged(
  metrics: readonly MetricSummary[],
  mainKey: string | null,
  filter: string,
): ArrangedMetrics {
  const wanted = filter.trim().toLowerCase();
  const sorted = metrics
    .filter(({ key }) => key.toLowerCase().includes(wanted))
    .toSorted(
      (left, right) =>
        Number(right.key === mainKey) - Number(left.key === mainKey) || left.key.localeCompare(right.key),
    );
  const isSystem = ({ key }: MetricSummary) => key.startsWith(systemMetricPrefix);
  return {
    numbers: sorted.filter((metric) => !isSystem(metric) && metric.pointCount < 2),
    curves: sorted.filter((metric) => !isSystem(metric) && metric.pointCount > 1),
    system: sorted.filter(isSystem),
  };
}
