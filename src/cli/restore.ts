import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { restoreStore } from '../engine/engine.ts';
import { SlipwayError } from '../protocol/errors.ts';
import { type Command, readArguments } from './command.ts';
import { scripts, storeOptions, toTheEnd } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const restoreCommand: Command = {
  usage: `  slipway restore BACKUP [--workspace DIR] [--json]
      Puts a backup in the place of the store, which no engine may have open. The old store is kept beside it.`,
  run: (args) => {
    const { values, positionals } = readArguments(args, { options: storeOptions, allowPositionals: true });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('restore takes one backup');
    return toTheEnd(async (control) => {
      const workspace = resolve(values.workspace ?? '.');
      if (!(await stat(workspace).catch(() => null))?.isDirectory()) {
        throw new SlipwayError('invalidParameter', { detail: `There is no folder ${workspace}.` });
      }
      const report = await restoreStore({ workspace, worker: scripts.worker, path }, control);
      const { content, replaced, artifactFiles } = report;
      console.log(
        values.json
          ? JSON.stringify(report)
          : [
              `Restored ${content.runs} runs of ${content.experiments} experiments and ${artifactFiles} files of artifacts.`,
              ...(replaced === null ? [] : [`The store that was there before is kept in ${replaced}.`]),
            ].join('\n'),
      );
      return 0;
    });
  },
};
