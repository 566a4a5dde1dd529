import { type Command, readArguments } from './command.ts';
import { bytesText, counted, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const backupCommand: Command = {
  usage: `  slipway backup DIR|FILE.db [--workspace DIR] [--artifacts] [--json]
      Copies the store while it is written to, into a new folder in DIR or to FILE.db, and checks the copy.
      --artifacts       the files of runs and models, too; only into a folder`,
  run: (args) => {
    const { values, positionals } = readArguments(args, {
      options: { ...storeOptions, artifacts: { type: 'boolean' } },
      allowPositionals: true,
    });
    const [path, ...rest] = positionals;
    if (path === undefined || rest.length > 0)
      throw new UsageError('backup takes one folder or file to write to');
    return withStore(values.workspace, async ({ maintenance }, control) => {
      const report = await maintenance.backUp({ path, artifacts: values.artifacts === true }, control);
      const { runs, experiments } = report.content;
      const artifacts = values.artifacts
        ? `, and ${counted(report.artifactFiles, 'artifact')} (${bytesText(report.artifactBytes)})`
        : '';
      console.log(
        values.json
          ? JSON.stringify(report)
          : `${report.path}: ${counted(runs, 'run')} of ${counted(experiments, 'experiment')} ` +
              `(${bytesText(report.storeBytes)})${artifacts}. The copy is sound.`,
      );
      return 0;
    });
  },
};
