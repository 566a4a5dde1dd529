import * as l10n from '@vscode/l10n';
import type { RunDetail } from '../../protocol/tracking.ts';
import { Fact } from '../components/fact.tsx';
import { Section } from '../components/section.tsx';

/** By what a run is found, and where its files lie. */
export function LocationSection({ detail }: { readonly detail: RunDetail }) {
  return (
    <Section title={l10n.t('Location')}>
      <dl class="facts-list">
        <Fact name={l10n.t('Run ID')} copy={detail.run.runId}>
          <code>{detail.run.runId}</code>
        </Fact>
        <Fact name={l10n.t('Artifact location')} copy={detail.artifactUri}>
          <code>{detail.artifactUri}</code>
        </Fact>
      </dl>
    </Section>
  );
}
