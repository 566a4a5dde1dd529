import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { worded } from '../protocol/errorDetails.ts';
import { SlipwayError } from '../protocol/errors.ts';
import {
  type DataFormat,
  dataFormats,
  partialFolder,
  readScoreProgress,
  type ScoreOptions,
  type ScoreReport,
} from '../protocol/scoring.ts';
import { type Command, readArguments } from './command.ts';
import { findInterpreter } from './interpreter.ts';
import { type CommandControl, counted, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const scoreCommand: Command = {
  usage: `  slipway score MODEL --input FILE --output FILE [--workspace DIR] [--only-predictions] [--format F] [--output-format F]
                [--force] [--restart] [--allow-python] [--python FILE] [--json]
      Writes a file that has the rows of another one in the same order, with the model's predictions beside them. Reads
      and writes .csv, .tsv and .jsonl (.ndjson), with .gz or without, and .parquet. Cancelled or killed, it goes on from
      where it was when it is run again; what is done is kept in OUTPUT.slipway-partial until then.
      Version and digest of the model are in the metadata of a Parquet file, and else in OUTPUT.metadata.json.
      MODEL is a registered model's name (the version in Production, else the newest), NAME/VERSION, NAME/STAGE or
      NAME@ALIAS.
      --only-predictions  leaves the columns of the input out
      --format F          the input's format: ${dataFormats.join(', ')} (default: as its name ends)
      --output-format F   the output's format (default: as its name ends)
      --force             replaces an output that is there
      --restart           begins anew instead of going on
      --allow-python      lets a model that only Python can run be loaded by your interpreter, which runs its code
      --python FILE       that interpreter (default: the first on the search path)`,
  run: async (args) => {
    const { model, workspace, json, allowPython, python, ...options } = readOptions(args);
    const permission = {
      all: true,
      python: allowPython ? await findInterpreter(python) : null,
      consents: [],
    };
    return withStore(workspace, (engine, control) => score(engine, model, options, json, control), {
      ...(allowPython && { python: permission }),
    });
  },
};

async function score(
  { batchScoring }: Engine,
  model: string,
  options: ScoreOptions,
  json: boolean,
  { signal, terminal }: CommandControl,
): Promise<number> {
  const { name, version } = batchScoring.version(model);
  try {
    const report = await batchScoring.score(
      { ...options, modelName: name, modelVersion: version },
      { signal, progress: (fraction, message) => terminal.show(fraction, progressText(message)) },
    );
    terminal.clear();
    const warnings = report.warnings.map((warning) => String(worded(warning)));
    for (const warning of warnings) console.error(`slipway: ${warning}`);
    console.log(json ? JSON.stringify({ ...report, warnings }) : reportText(report));
    return 0;
  } catch (error) {
    if (!(error instanceof SlipwayError) || error.kind !== 'cancelled') throw error;
    const kept = partialFolder(options.output);
    terminal.clear();
    console.error(
      `slipway: Cancelled. What was scored is kept in ${kept}; run the same command again to go on from there.`,
    );
    return 1;
  }
}

function progressText(message: string): string {
  const told = readScoreProgress(message);
  if (!told) return '';
  const { phase, rows, rowsPerSecond } = told;
  switch (phase) {
    case 'reading':
      return 'reading';
    case 'scoring':
      return `${grouped(rows)} rows · ${grouped(rowsPerSecond)} rows/s`;
    case 'writing':
      return `${grouped(rows)} rows · writing`;
  }
}

function grouped(count: number): string {
  return Math.round(count).toLocaleString('en');
}

function reportText({ model, version, rows, output, resumedRows, milliseconds }: ScoreReport): string {
  const before = resumedRows > 0 ? ` (${counted(resumedRows, 'row')} of them before)` : '';
  const seconds = (milliseconds / 1000).toFixed(1);
  return `${output}: ${counted(rows, 'row')} scored by version ${version} of "${model}"${before} in ${seconds} s.`;
}

interface ScoreArguments extends ScoreOptions {
  readonly model: string;
  readonly workspace: string | undefined;
  readonly json: boolean;
  readonly allowPython: boolean;
  readonly python: string | undefined;
}

function readOptions(args: readonly string[]): ScoreArguments {
  const { values, positionals } = readArguments(args, {
    options: {
      ...storeOptions,
      input: { type: 'string' },
      output: { type: 'string' },
      format: { type: 'string' },
      'output-format': { type: 'string' },
      'only-predictions': { type: 'boolean' },
      force: { type: 'boolean' },
      restart: { type: 'boolean' },
      'allow-python': { type: 'boolean' },
      python: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [model, ...rest] = positionals;
  if (model === undefined || rest.length > 0) throw new UsageError('score takes one model');
  const { input, output, python } = values;
  if (input === undefined) throw new UsageError('score needs --input FILE');
  if (output === undefined) throw new UsageError('score needs --output FILE');
  if (python !== undefined && !values['allow-python']) {
    throw new UsageError('--python needs --allow-python, which lets the model run code');
  }
  return {
    model,
    workspace: values.workspace,
    json: values.json === true,
    input: resolve(input),
    output: resolve(output),
    inputFormat: readFormat('--format', values.format),
    outputFormat: readFormat('--output-format', values['output-format']),
    onlyPredictions: values['only-predictions'] === true,
    force: values.force === true,
    restart: values.restart === true,
    allowPython: values['allow-python'] === true,
    python,
  };
}

function readFormat(option: string, text: string | undefined): DataFormat | null {
  if (text === undefined) return null;
  const format = dataFormats.find((known) => known === text);
  if (!format) throw new UsageError(`${option} must be one of ${dataFormats.join(', ')}, not "${text}"`);
  return format;
}
