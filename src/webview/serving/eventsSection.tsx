import * as l10n from '@vscode/l10n';
import type { EndpointEvent } from '../../protocol/serving.ts';
import { Icon } from '../components/icon.tsx';
import { useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { formatMoment } from '../components/times.ts';
import { CopyTable, FigureTable } from './figureTable.tsx';
import { saidText } from './saidText.ts';
import { eventTone, whoName } from './servingWording.ts';

const shownAtFirst = 10;

/** What happened to the endpoint, who did it, newest first. */
export function EventsSection({ events }: { readonly events: readonly EndpointEvent[] }) {
  const [all, setAll] = useViewState('allEvents', false, isBoolean);
  if (events.length === 0) return null;
  const title = l10n.t('Events');
  const sorted = [...events].sort((one, other) => other.when - one.when || other.id - one.id);
  const table = {
    columns: [{ name: l10n.t('When') }, { name: l10n.t('Who') }, { name: l10n.t('What'), sentence: true }],
    rows: sorted.map((event) => ({
      key: String(event.id),
      cells: [formatMoment(event.when, 'second'), whoName(event.who), saidText(event.said)],
      icon: <Icon {...iconOf(event.kind)} />,
    })),
  };
  const shown = all ? table : { ...table, rows: table.rows.slice(0, shownAtFirst) };
  return (
    <Section title={title} count={events.length} actions={<CopyTable title={title} table={table} />}>
      <FigureTable {...shown} />
      {events.length > shownAtFirst ? (
        <button type="button" class="link more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? l10n.t('Show fewer') : l10n.t('Show all')}
        </button>
      ) : null}
    </Section>
  );
}

function iconOf(kind: string): { readonly name: string; readonly tone?: string } {
  const tone = eventTone(kind);
  const name =
    {
      started: 'play',
      stopped: 'debug-stop',
      deleted: 'trash',
      failed: 'error',
      crashed: 'error',
      rolloutStarted: 'git-merge',
      stepped: 'arrow-right',
      shareChanged: 'arrow-right',
      checkFailed: 'warning',
      paused: 'debug-pause',
      resumed: 'debug-continue',
      promoted: 'rocket',
      rolledBack: 'discard',
    }[kind] ?? 'circle-small-filled';
  return tone === 'plain' ? { name } : { name, tone: tone === 'bad' ? 'error' : 'good' };
}

function isBoolean(kept: unknown): kept is boolean {
  return typeof kept === 'boolean';
}
