import * as l10n from '@vscode/l10n';
import { useRef } from 'preact/hooks';
import type { Window } from '../components/decimation.ts';
import { IconButton } from '../components/icon.tsx';
import type { ChartHandle } from '../components/lineDrawing.ts';
import { SavePictureButton } from '../components/savePictureButton.tsx';
import { Skeleton } from '../components/states.tsx';
import type { Theme } from '../components/theme.ts';
import { TimeChart, type TimeSeries } from '../components/timeChart.tsx';
import type { TimeMark } from '../components/timeMarks.ts';
import { useSeen } from '../components/useSeen.ts';

/** A figure over time: its last value, and its curve. */
export function LiveCard(properties: {
  readonly endpoint: string;
  readonly title: string;
  readonly value: string;
  readonly times: readonly number[];
  readonly series: readonly TimeSeries[];
  readonly stacked: boolean;
  readonly marks: readonly TimeMark[];
  readonly window: Window;
  readonly onZoom: (window: Window | null) => void;
  readonly zoomed: boolean;
  readonly format: (value: number) => string;
  readonly highest?: number;
  readonly theme: Theme;
  /** Curves that can be left out. */
  readonly switches?: readonly {
    readonly name: string;
    readonly on: boolean;
    readonly toggle: () => void;
  }[];
  readonly note?: string | null;
}) {
  const { endpoint, title, value, zoomed, switches = [], note = null, ...drawing } = properties;
  const card = useRef<HTMLElement>(null);
  const chart = useRef<ChartHandle>(null);
  const seen = useSeen(card);
  return (
    <article ref={card} class="card" aria-label={title}>
      <header class="card-header">
        <h3>{title}</h3>
        {switches.map(({ name, on, toggle }) => (
          <button key={name} type="button" class="text-switch" aria-pressed={on} onClick={toggle}>
            {name}
          </button>
        ))}
        <div class="card-actions">
          {zoomed ? (
            <IconButton
              icon="zoom-out"
              label={l10n.t('Follow the Newest Again')}
              onClick={() => drawing.onZoom(null)}
            />
          ) : null}
          <SavePictureButton chart={chart} name={`${endpoint}-${title}`} />
        </div>
        <span class="card-value">{value}</span>
      </header>
      {seen ? (
        <TimeChart {...drawing} handle={chart} description={describe(title, drawing)} />
      ) : (
        <Skeleton rows={3} tall />
      )}
      {note === null ? null : <p class="card-note">{note}</p>}
    </article>
  );
}

function describe(
  title: string,
  { series, format }: Pick<Parameters<typeof LiveCard>[0], 'series' | 'format'>,
): string {
  const now = series
    .map(({ name, values }) => {
      const value = values.at(-1) ?? null;
      return `${name} ${value === null ? '–' : format(value)}`;
    })
    .join(', ');
  return series.length === 0
    ? l10n.t('{title}: nothing yet.', { title })
    : l10n.t('{title}. Now: {now}. Use the arrow keys to read the points.', { title, now });
}
