import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { SlipwayError } from '../protocol/errors.ts';
import type { ExportReport } from '../protocol/importing.ts';
import { type Command, readArguments } from './command.ts';
import { printOmissions } from './omissions.ts';
import { counted, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const exportCommand: Command = {
  usage: `  slipway export RUN_ID|EXPERIMENT --output DIR [--workspace DIR] [--json]
      Writes a run, or all runs of an experiment (its name or its id), as a folder mlruns in DIR that MLflow reads: with
      logged models, traces and artifacts, without the model registry.`,
  run: (args) => {
    const { values, positionals } = readArguments(args, {
      options: { ...storeOptions, output: { type: 'string' } },
      allowPositionals: true,
    });
    const [subject, ...rest] = positionals;
    if (subject === undefined || rest.length > 0) throw new UsageError('export takes one run or experiment');
    if (values.output === undefined) throw new UsageError('export needs --output DIR');
    const folder = resolve(values.output);
    return withStore(values.workspace, async ({ tracking, interop }, control) => {
      const report = await interop.export({ ...find(tracking, subject), folder }, control);
      console.log(values.json ? JSON.stringify(report) : `${report.folder}: ${countsOf(report).join(', ')}.`);
      printOmissions('Not written', report.omissions);
      return 0;
    });
  },
};

function countsOf({ runs, points, artifacts, loggedModels, traces }: ExportReport): readonly string[] {
  return [
    counted(runs, 'run'),
    counted(points, 'metric point'),
    counted(artifacts, 'artifact'),
    ...(loggedModels > 0 ? [counted(loggedModels, 'logged model')] : []),
    ...(traces > 0 ? [counted(traces, 'trace')] : []),
  ];
}

type Subject = { readonly runId: string | null; readonly experimentId: string | null };

/** A run's id, an experiment's id, or an experiment's name, whichever there is first. */
function find(tracking: Engine['tracking'], subject: string): Subject {
  const looks = [
    () => ({ runId: tracking.run(subject).runId, experimentId: null }),
    () => ({ runId: null, experimentId: tracking.experiment(subject).experimentId }),
    () => ({ runId: null, experimentId: tracking.experimentByName(subject).experimentId }),
  ];
  for (const look of looks) {
    try {
      return look();
    } catch (error) {
      if (!(error instanceof SlipwayError)) throw error;
    }
  }
  const detail = `There is no run or experiment "${subject}". "slipway usage" lists the experiments.`;
  throw new SlipwayError('notFound', { detail });
}
