import { resolve } from 'node:path';
import { SlipwayError } from '../protocol/errors.ts';
import { chooseModel, modelUsage } from './chosenModel.ts';
import { type Command, readArguments } from './command.ts';
import { readHostNames } from './hostNameOption.ts';
import { numberOption } from './numberOption.ts';
import { bytesText, counted, storeOptions, toTheEnd } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const packageCommand: Command = {
  usage: `  slipway package MODEL --output DIR [--force] [--platform P] [--host-name NAME]... [--port N]
                [--threads N] [--processes N] [--batch-rows N] [--workspace DIR] [--json]
      Writes a folder that serves a model with Node.js alone: with a Dockerfile, a bill of materials and a self-test.
      ${modelUsage}
      --force           replaces what is in DIR
      --platform P      whose native modules it takes along, such as linux-x64 (default: this machine's)
      --host-name NAME  a further host name by which it is asked, such as that of a proxy before it; may be repeated
      --port N          the port that it listens on (default: 8080)`,
  run: (args) => {
    const { values, positionals } = readArguments(args, {
      options: {
        ...storeOptions,
        output: { type: 'string' },
        force: { type: 'boolean' },
        platform: { type: 'string' },
        'host-name': { type: 'string', multiple: true },
        port: { type: 'string' },
        threads: { type: 'string' },
        processes: { type: 'string' },
        'batch-rows': { type: 'string' },
      },
      allowPositionals: true,
    });
    const [named, ...rest] = positionals;
    if (named === undefined || rest.length > 0) throw new UsageError('package takes one model');
    if (values.output === undefined) throw new UsageError('package needs --output DIR');
    const folder = resolve(values.output);
    const platform = readPlatform(values.platform);
    const config = {
      hosts: values['host-name'] && readHostNames(values['host-name']),
      port: numberOption('port', values.port, 1, 65_535),
      threads: numberOption('threads', values.threads, 1, 256),
      processes: numberOption('processes', values.processes, 1, 64),
      batchRows: numberOption('batch-rows', values['batch-rows'], 1, 65_536),
    };
    return toTheEnd(async () => {
      const { model } = await chooseModel({ model: named, workspace: values.workspace, python: null }).catch(
        withoutPython,
      );
      const { packageModel } = await import('../engine/engine.ts');
      const report = await packageModel({
        model,
        folder,
        replace: values.force === true,
        platform,
        config,
        dist: import.meta.dirname,
        warn: (message) => console.error(`slipway: ${message}`),
      });
      console.log(
        values.json
          ? JSON.stringify(report)
          : `${report.folder}: "${report.model}", version ${report.version}, for ${report.platform} ` +
              `(${counted(report.files, 'file')}, ${bytesText(report.bytes)}). Run it with "node start.cjs", test it with ` +
              `"node start.cjs --self-test".`,
      );
      return 0;
    });
  },
};

/** @throws what was thrown; in place of a question that nobody could answer here, `pythonNotPackaged`. */
function withoutPython(error: unknown): never {
  if (!(error instanceof SlipwayError) || error.kind !== 'pythonConsentNeeded') throw error;
  throw new SlipwayError('pythonNotPackaged', error.values, { cause: error });
}

function readPlatform(text: string | undefined): `${string}-${string}` | undefined {
  if (text === undefined) return undefined;
  const [system, processor, ...rest] = text.split('-');
  if (!system || !processor || rest.length > 0) {
    throw new UsageError(`--platform must be a system and a processor such as linux-x64, not "${text}"`);
  }
  return `${system}-${processor}`;
}
