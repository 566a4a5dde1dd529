import { once } from 'node:events';
import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { SlipwayError } from '../protocol/errors.ts';
import {
  type ImportDetection,
  type ImportKind,
  type ImportReport,
  importKinds,
  type LocationRemap,
} from '../protocol/importing.ts';
import { type Command, readArguments } from './command.ts';
import { printOmissions } from './omissions.ts';
import { type CommandControl, counted, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const importCommand: Command = {
  usage: `  slipway import PATH [--workspace DIR] [--as KIND] [--remap FROM=TO]... [--keep-in-sync] [--json]
      Imports the runs of an mlruns folder, an mlflow.db file, a CSV file, or a folder of TensorBoard, Weights & Biases or DVC.
      Run again, it goes on from where it ended, and takes what is new. What it could not take, it lists on standard error.
      --as KIND         only what is ${importKinds.slice(0, -1).join(', ')} or ${importKinds.at(-1)}
      --remap FROM=TO   artifacts whose location begins with FROM lie in the folder TO of this machine, which may be read
      --keep-in-sync    goes on whenever there is something new, until SIGINT`,
  run: (args) => {
    const { values, positionals } = readArguments(args, {
      options: {
        ...storeOptions,
        as: { type: 'string' },
        remap: { type: 'string', multiple: true },
        'keep-in-sync': { type: 'boolean' },
      },
      allowPositionals: true,
    });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('import takes one file or folder');
    const options: ImportOptions = {
      path: resolve(path),
      kind: readKind(values.as),
      remaps: (values.remap ?? []).map(readRemap),
      keepInSync: values['keep-in-sync'] === true,
      json: values.json === true,
    };
    return withStore(values.workspace, (engine, control) => importPath(engine, options, control), {
      create: true,
    });
  },
};

interface ImportOptions {
  /** Absolute. */
  readonly path: string;
  /** Null: whatever is found. */
  readonly kind: ImportKind | null;
  readonly remaps: readonly LocationRemap[];
  readonly keepInSync: boolean;
  readonly json: boolean;
}

async function importPath(
  { interop }: Engine,
  { path, kind, remaps, keepInSync, json }: ImportOptions,
  { signal, progress }: CommandControl,
): Promise<number> {
  const control = { signal, progress };
  const found = await interop.detect(path, control);
  const wanted = found.filter((detection) => kind === null || detection.kind === kind);
  const others = found.map((detection) => detection.kind).join(', ');
  if (wanted.length === 0 && others !== '') {
    const detail = `There is nothing in ${path} to import as ${kind}. Leave out --as, or give it one of: ${others}.`;
    throw new SlipwayError('notFound', { detail });
  }
  if (wanted.length === 0) throw new SlipwayError('nothingToImport', { path });
  for (const detection of wanted) {
    if (!json) console.log(foundText(detection));
    const { kind: as, path: at } = detection;
    const report = await interop.import({ kind: as, path: at, remaps, keepInSync }, control);
    console.log(json ? JSON.stringify(report) : reportText(report));
    printOmissions('Not taken, or not as it is there', interop.omissions(detection));
  }
  if (!keepInSync) return 0;
  if (!json) console.log('Keeping in sync; Ctrl+C ends it.');
  if (!signal.aborted) await Promise.race([once(signal, 'abort'), interop.syncsEnded()]);
  return signal.aborted ? 0 : 1;
}

function foundText({ kind, path, experimentCount, runCount, registeredModelCount }: ImportDetection): string {
  return `${path} (${kind}): ${counted(runCount, 'run')} in ${counted(experimentCount, 'experiment')}, ${counted(registeredModelCount, 'registered model')}`;
}

function reportText(report: ImportReport): string {
  const parts = [
    [report.experiments, 'experiment'],
    [report.runs, 'run'],
    [report.points, 'metric point'],
    [report.artifacts, 'artifact'],
    [report.loggedModels, 'logged model'],
    [report.traces, 'trace'],
    [report.registeredModels, 'registered model'],
    [report.modelVersions, 'model version'],
  ] as const;
  const news = parts.flatMap(([count, noun]) => (count === 0 ? [] : [counted(count, noun)]));
  const { unchangedParts } = report;
  const are = unchangedParts === 1 ? 'is' : 'are';
  const before = unchangedParts > 0 ? ` ${counted(unchangedParts, 'part')} ${are} as before.` : '';
  return news.length === 0 ? `Nothing is new.${before}` : `Imported ${news.join(', ')}.${before}`;
}

function readKind(text: string | undefined): ImportKind | null {
  if (text === undefined) return null;
  const kind = importKinds.find((known) => known === text);
  if (kind === undefined)
    throw new UsageError(`--as must be one of ${importKinds.join(', ')}, not "${text}"`);
  return kind;
}

function readRemap(text: string): LocationRemap {
  const at = text.lastIndexOf('=');
  const from = text.slice(0, at);
  const to = text.slice(at + 1);
  if (at < 1 || to === '') throw new UsageError(`--remap must be FROM=TO, not "${text}"`);
  return { from, to: resolve(to) };
}
