import * as l10n from '@vscode/l10n';
import type { RolloutSummary } from '../../protocol/serving.ts';
import { Icon } from '../components/icon.tsx';
import { useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { formatMoment } from '../components/times.ts';
import { CopyTable, FigureTable } from './figureTable.tsx';
import { saidText } from './saidText.ts';
import { rolloutStateName, strategyName } from './servingWording.ts';

/** The rollouts of before, newest first. */
export function RolloutsSection({ rollouts }: { readonly rollouts: readonly RolloutSummary[] }) {
  const [open, setOpen] = useViewState('rolloutsOpen', true, isBoolean);
  if (rollouts.length === 0) return null;
  const title = l10n.t('Earlier Rollouts');
  const table = {
    columns: [
      { name: l10n.t('Ended') },
      { name: l10n.t('Versions') },
      { name: l10n.t('Strategy') },
      { name: l10n.t('Outcome') },
      { name: l10n.t('Why'), sentence: true },
    ],
    rows: [...rollouts]
      .sort((one, other) => other.startedAt - one.startedAt)
      .map((rollout) => ({
        key: String(rollout.id),
        cells: [
          formatMoment(rollout.endedAt ?? rollout.startedAt),
          `v${rollout.stableVersion} → v${rollout.candidateVersion}`,
          strategyName(rollout.strategy),
          rolloutStateName(rollout.state),
          saidText(rollout.reason ?? []),
        ],
        icon: rollout.state === 'promoted' ? <Icon name="rocket" tone="good" /> : <Icon name="discard" />,
      })),
  };
  return (
    <Section
      title={title}
      count={rollouts.length}
      open={open}
      onToggle={setOpen}
      actions={<CopyTable title={title} table={table} />}
    >
      <FigureTable {...table} />
    </Section>
  );
}

function isBoolean(kept: unknown): kept is boolean {
  return typeof kept === 'boolean';
}
