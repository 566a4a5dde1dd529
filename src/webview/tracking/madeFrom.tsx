import * as l10n from '@vscode/l10n';
import { useCallback } from 'preact/hooks';
import type { CodeState, Machine, Program, RunProvenance } from '../../protocol/provenance.ts';
import type { RunDetail } from '../../protocol/tracking.ts';
import { Fact } from '../components/fact.tsx';
import { useLoaded } from '../components/loading.ts';
import { formatBytes, formatCount } from '../components/numbers.ts';
import { useEngineEvent, useHost } from '../components/page.tsx';
import { Section } from '../components/section.tsx';
import { ErrorState } from '../components/states.tsx';
import { commandLine } from './commandLine.ts';
import { DataList } from './dataList.tsx';
import { PackagesSection } from './packagesSection.tsx';

/** What a run was made of: its code, its program, its machine and its data. */
export function MadeFrom({ detail }: { readonly detail: RunDetail }) {
  const { runId } = detail.run;
  const host = useHost();
  const load = useCallback(
    (signal: AbortSignal) => host.request('provenance/run', { runId }, signal),
    [host, runId],
  );
  const { value: provenance, error, reload } = useLoaded(load);
  useEngineEvent('provenance/changed', ({ runIds }) => {
    if (runIds.includes(runId)) reload();
  });
  useEngineEvent('tracking/changed', ({ experimentIds, runIds }) => {
    const anything = experimentIds.length === 0 && runIds.length === 0;
    if (anything || (error && runIds.includes(runId))) reload();
  });

  return (
    <>
      <Section title={l10n.t('Made from')}>
        {error ? <ErrorState error={error} onRetry={reload} /> : null}
        <dl class="facts-list">
          <ProgramFacts program={provenance?.program ?? null} sourceName={detail.sourceName} />
          <CodeFacts code={provenance?.code ?? null} detail={detail} />
          <SurroundingFacts program={provenance?.program ?? null} machine={provenance?.machine ?? null} />
        </dl>
        {provenance && provenance.program === null ? (
          <p class="nothing hint">
            {l10n.t(
              'Of runs started in a VS Code terminal or task, code changes, packages and machine are kept too.',
            )}
          </p>
        ) : null}
        <h3 class="subheading">{l10n.t('Data')}</h3>
        <DataList datasets={detail.datasets} files={provenance?.files ?? []} />
      </Section>
      {isMadeByPython(provenance) ? <PackagesSection runId={runId} count={provenance.packageCount} /> : null}
    </>
  );
}

function ProgramFacts(properties: { readonly program: Program | null; readonly sourceName: string | null }) {
  const { program, sourceName } = properties;
  const entryPoint = program?.entryPoint ?? sourceName;
  const command = program ? commandLine(program.command) : '';
  return (
    <>
      {entryPoint ? (
        <Fact name={program?.kind === 'notebook' ? l10n.t('Notebook') : l10n.t('Script')} copy={entryPoint}>
          {program ? shortened(entryPoint, program.folder) : entryPoint}
        </Fact>
      ) : null}
      {command ? (
        <Fact name={l10n.t('Command')} copy={command} whole>
          <code>{command}</code>
        </Fact>
      ) : null}
      {program ? (
        <Fact name={l10n.t('Folder')} copy={program.folder}>
          {program.folder}
        </Fact>
      ) : null}
    </>
  );
}

function CodeFacts({ code, detail }: { readonly code: CodeState | null; readonly detail: RunDetail }) {
  // What the client's own tags say, when nothing else is known.
  const commit = code ? code.commit : detail.sourceCommit;
  const branch = code ? code.branch : detail.sourceBranch;
  const repository = code ? code.repository : detail.sourceRepository;
  return (
    <>
      {commit ? (
        <Fact name={l10n.t('Commit')} copy={commit}>
          <code>{commit.slice(0, 10)}</code>
        </Fact>
      ) : null}
      {branch ? <Fact name={l10n.t('Branch')}>{branch}</Fact> : null}
      {repository ? (
        <Fact name={l10n.t('Repository')} copy={repository}>
          {/^https?:\/\//i.test(repository) ? (
            <a class="link" href={repository}>
              {repository}
            </a>
          ) : (
            repository
          )}
        </Fact>
      ) : null}
      {code || detail.sourceDirty !== null ? (
        <Fact name={l10n.t('Uncommitted')}>
          {code ? (
            <UncommittedChanges code={code} runId={detail.run.runId} />
          ) : detail.sourceDirty ? (
            l10n.t('some changes')
          ) : (
            l10n.t('nothing')
          )}
        </Fact>
      ) : null}
    </>
  );
}

function UncommittedChanges({ code, runId }: { readonly code: CodeState; readonly runId: string }) {
  const host = useHost();
  const { changedFiles, changedFileCount } = code;
  if (changedFileCount === 0) return l10n.t('nothing');
  const text =
    changedFileCount === 1
      ? l10n.t('1 changed file')
      : l10n.t('{count} changed files', { count: formatCount(changedFileCount) });
  const names = changedFiles.join('\n');
  if (!code.hasChanges) return <span title={names}>{text}</span>;
  return (
    <button
      type="button"
      class="link"
      title={names}
      onClick={() => host.act({ action: 'showChanges', runId })}
    >
      {text}
    </button>
  );
}

function SurroundingFacts(properties: {
  readonly program: Program | null;
  readonly machine: Machine | null;
}) {
  const { program, machine } = properties;
  return (
    <>
      {program ? (
        <Fact name="Python" copy={program.pythonExecutable}>
          {program.pythonImplementation === 'CPython' ? '' : `${program.pythonImplementation} `}
          {program.pythonVersion}
        </Fact>
      ) : null}
      {machine ? (
        <>
          <Fact name={l10n.t('System')}>{machine.operatingSystem}</Fact>
          <Fact name={l10n.t('Processor')} whole>
            {l10n.t('{model}, {count} cores', {
              model: machine.processor,
              count: formatCount(machine.coreCount),
            })}
          </Fact>
          <Fact name={l10n.t('Memory')}>{formatBytes(machine.memory)}</Fact>
          {machine.graphicsProcessors.length > 0 ? (
            <Fact name={l10n.t('GPUs')} whole>
              {machine.graphicsProcessors
                .map(({ name, memory, driver }) =>
                  l10n.t('{name}, {memory}, driver {driver}', { name, memory: formatBytes(memory), driver }),
                )
                .join('; ')}
            </Fact>
          ) : null}
        </>
      ) : null}
    </>
  );
}

function isMadeByPython(provenance: RunProvenance | null): provenance is RunProvenance {
  return provenance !== null && provenance.packageCount > 0;
}

/** A path as seen from the folder in which the program was started, when it lies below. */
function shortened(path: string, folder: string): string {
  const separator = folder.includes('\\') ? '\\' : '/';
  return path.startsWith(folder + separator) ? path.slice(folder.length + 1) : path;
}
