import type { CheckReport } from '../protocol/maintenance.ts';
import { type Command, readArguments } from './command.ts';
import { counted, sentenceOf, storeOptions, withStore } from './storeCommand.ts';

export const checkCommand: Command = {
  usage: `  slipway check [--workspace DIR] [--json]
      Reads all of the store and says what is wrong with it, and what to do. Exit code 1 when something is.`,
  run: (args) => {
    const { values } = readArguments(args, { options: storeOptions });
    return withStore(values.workspace, async ({ maintenance }, control) => {
      const report = await maintenance.check(control);
      console.log(values.json ? JSON.stringify(report) : textOf(report));
      return report.findingCount === 0 ? 0 : 1;
    });
  },
};

function textOf({ findings, findingCount, content }: CheckReport): string {
  if (findingCount === 0) {
    const { experiments, runs, modelVersions } = content;
    const counts = [
      counted(experiments, 'experiment'),
      counted(runs, 'run'),
      counted(modelVersions, 'model version'),
    ];
    return `The store is sound: ${counts.join(', ')}.`;
  }
  const more = findingCount - findings.length;
  return [...findings.map(sentenceOf), ...(more > 0 ? [`And ${more} more.`] : [])].join('\n');
}
