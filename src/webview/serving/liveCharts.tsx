import * as l10n from '@vscode/l10n';
import { useMemo, useState } from 'preact/hooks';
import type { EndpointLive } from '../../protocol/serving.ts';
import type { Window } from '../components/decimation.ts';
import { formatLatency, formatPerSecond, formatRate, formatShare } from '../components/numbers.ts';
import { useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import type { Theme } from '../components/theme.ts';
import type { TimeSeries } from '../components/timeChart.tsx';
import type { TimeMark } from '../components/timeMarks.ts';
import { LiveCard } from './liveCard.tsx';
import { type LiveHistory, receivedShares, type VariantHistory } from './liveHistory.ts';
import { eventLabel, eventTone, roleName } from './servingWording.ts';
import { versionColor, versionName } from './versionColors.ts';

const minute = 60_000;
const spans = [1, 5, 15] as const;
const percentiles = ['p50', 'p95', 'p99'] as const;
type Percentile = (typeof percentiles)[number];
const looks = { p50: 'line', p95: 'dashed', p99: 'dotted' } as const;

/** Requests, latencies, errors and shares of the last minutes, by version, with what happened as marks. */
export function LiveCharts(properties: {
  readonly live: EndpointLive;
  readonly history: LiveHistory;
  readonly now: number;
  readonly theme: Theme;
}) {
  const { live, history, now, theme } = properties;
  const { endpoint } = live;
  const [span, setSpan] = useViewState<number>('span', 5, isSpan);
  const [shown, setShown] = useViewState<readonly Percentile[]>('percentiles', percentiles, arePercentiles);
  const [zoom, setZoom] = useState<Window | null>(null);
  const window = zoom ?? { from: now - span * minute, to: now };
  const marks = useMemo(() => live.events.map(markOf), [live.events]);
  const { variants } = history;

  const named = (variant: VariantHistory) => {
    const version = versionName(variant, endpoint.modelName);
    const twice = variants.some(
      (other) => other !== variant && other.version === variant.version && other.model === variant.model,
    );
    return twice ? `${version} ${roleName(variant.name)}` : version;
  };
  const series = (values: (variant: VariantHistory) => readonly (number | null)[]): readonly TimeSeries[] =>
    variants.map((variant) => ({
      name: named(variant),
      color: versionColor(theme, variant.version),
      look: 'line',
      values: values(variant),
    }));
  // What a shadow hears was asked of another, so it counts as no traffic.
  const asked = variants.filter(({ name }) => name !== 'shadow');
  const requests = series(({ requests }) => requests).filter(
    (_, place) => variants[place]?.name !== 'shadow',
  );
  const errors = series(({ errors }) => errors);
  const latencies = variants.flatMap((variant) =>
    shown.map((percentile): TimeSeries => {
      const values = { p50: variant.latencyP50, p95: variant.latencyP95, p99: variant.latencyP99 };
      return {
        name: `${named(variant)} ${percentile}`,
        color: versionColor(theme, variant.version),
        look: looks[percentile],
        values: values[percentile],
      };
    }),
  );
  const shares = useMemo(() => receivedShares(asked), [history]);
  const split = asked.map(
    (variant, place): TimeSeries => ({
      name: named(variant),
      color: versionColor(theme, variant.version),
      look: 'line',
      values: shares[place] ?? [],
    }),
  );

  const common = { times: history.times, marks, window, onZoom: setZoom, zoomed: zoom !== null, theme };
  const last = (values: readonly (readonly (number | null)[])[]) =>
    values.reduce((sum, one) => sum + (one.at(-1) ?? 0), 0);
  return (
    <Section
      title={l10n.t('Live')}
      actions={
        <fieldset class="switches" aria-label={l10n.t('Minutes shown')}>
          {spans.map((minutes) => (
            <button
              key={minutes}
              type="button"
              class="text-switch"
              aria-pressed={span === minutes && zoom === null}
              onClick={() => {
                setZoom(null);
                setSpan(minutes);
              }}
            >
              {l10n.t('{0} min', minutes)}
            </button>
          ))}
        </fieldset>
      }
    >
      {variants.length === 0 ? (
        <p class="nothing quiet">
          {l10n.t('No requests in the last quarter of an hour. Send a test request, and curves begin here.')}
        </p>
      ) : null}
      <div class="cards live-cards">
        <LiveCard
          {...common}
          endpoint={endpoint.name}
          title={l10n.t('Requests a second')}
          value={formatRate(endpoint.rate)}
          series={requests}
          stacked
          format={formatPerSecond}
        />
        <LiveCard
          {...common}
          endpoint={endpoint.name}
          title={l10n.t('Latency')}
          value={endpoint.latencyP99 === null ? '–' : `p99 ${formatLatency(endpoint.latencyP99)}`}
          series={latencies}
          stacked={false}
          format={formatLatency}
          switches={percentiles.map((percentile) => ({
            name: percentile,
            on: shown.includes(percentile),
            toggle: () => setShown(percentiles.filter((one) => (one === percentile) !== shown.includes(one))),
          }))}
        />
        <LiveCard
          {...common}
          endpoint={endpoint.name}
          title={l10n.t('Errors a second')}
          value={formatRate(last(errors.map(({ values }) => values)))}
          series={errors}
          stacked
          format={formatPerSecond}
          note={
            variants.length > 0 && variants.every((variant) => variant.errors.every((count) => count === 0))
              ? l10n.t('No errors in this time.')
              : null
          }
        />
        <LiveCard
          {...common}
          endpoint={endpoint.name}
          title={l10n.t('Share of the requests')}
          value={endpoint.rollout === null ? '' : formatShare(endpoint.rollout.share)}
          series={split}
          stacked
          format={formatShare}
          highest={1}
          note={split.length === 0 ? null : l10n.t('What each version really got, over ten seconds.')}
        />
      </div>
    </Section>
  );
}

function markOf(event: EndpointLive['events'][number]): TimeMark {
  return { time: event.when, label: eventLabel(event), tone: eventTone(event.kind) };
}

function isSpan(kept: unknown): kept is number {
  return spans.some((span) => span === kept);
}

function arePercentiles(kept: unknown): kept is readonly Percentile[] {
  return Array.isArray(kept) && kept.every((one) => percentiles.some((percentile) => percentile === one));
}
