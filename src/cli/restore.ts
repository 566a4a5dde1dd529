import { type Command, readArguments } from './command.ts';
import { scripts } from './scripts.ts';
import { counted, storeOptions, toTheEnd, workspaceFolder } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const restoreCommand: Command = {
  usage: `  slipway restore BACKUP [--workspace DIR] [--json]
      Puts a backup in the place of the store, which no engine may have open. The old store is kept beside it.`,
  run: (args) => {
    const { values, positionals } = readArguments(args, { options: storeOptions, allowPositionals: true });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0) throw new UsageError('restore takes one backup');
    return toTheEnd(async (control) => {
      const workspace = await workspaceFolder(values.workspace);
      const { restoreStore } = await import('../engine/engine.ts');
      const report = await restoreStore({ workspace, worker: scripts.worker, path }, control);
      const { content, replaced, artifactFiles } = report;
      const artifacts = artifactFiles > 0 ? ` and ${counted(artifactFiles, 'artifact')}` : '';
      console.log(
        values.json
          ? JSON.stringify(report)
          : [
              `Restored ${counted(content.runs, 'run')} of ${counted(content.experiments, 'experiment')}${artifacts}.`,
              ...(replaced === null ? [] : [`The store that was there before is kept in ${replaced}.`]),
            ].join('\n'),
      );
      return 0;
    });
  },
};
