import * as l10n from '@vscode/l10n';
import { useCallback } from 'preact/hooks';
import { KeyValueSection } from '../components/keyValueTable.tsx';
import { useLoaded } from '../components/loading.ts';
import { useHost, useViewState } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { ErrorState, Skeleton } from '../components/states.tsx';

/** The packages that the program had; they are asked for once the section is opened. */
export function PackagesSection({ runId, count }: { readonly runId: string; readonly count: number }) {
  const [open, setOpen] = useViewState('packages', false, isFlag);
  const title = l10n.t('Packages');
  if (open) return <OpenPackages runId={runId} count={count} title={title} onToggle={setOpen} />;
  return (
    <Section title={title} count={count} open={false} onToggle={setOpen}>
      {null}
    </Section>
  );
}

function OpenPackages(properties: {
  readonly runId: string;
  readonly count: number;
  readonly title: string;
  readonly onToggle: (open: boolean) => void;
}) {
  const { runId, count, title, onToggle } = properties;
  const host = useHost();
  const load = useCallback(
    (signal: AbortSignal) => host.request('provenance/packages', { runId }, signal),
    [host, runId],
  );
  const { value, error, reload } = useLoaded(load);
  if (!value) {
    return (
      <Section title={title} count={count} open onToggle={onToggle}>
        {error ? <ErrorState error={error} onRetry={reload} /> : <Skeleton rows={3} />}
      </Section>
    );
  }
  return (
    <KeyValueSection
      title={title}
      rows={value.map(({ name, version }) => ({ key: name, value: version }))}
      empty=""
      onToggle={onToggle}
    />
  );
}

function isFlag(kept: unknown): kept is boolean {
  return typeof kept === 'boolean';
}
