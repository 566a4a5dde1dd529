import { join } from 'node:path';
import { settingsFile } from '../protocol/endpointSettings.ts';
import { say } from '../protocol/servingSentences.ts';
import { quickTuning, type RuntimeChoice, type TuningReport, tuningPlan } from '../protocol/tuning.ts';
import { tune } from '../tuning/measurement.ts';
import { settingsText, writeSettings } from '../tuning/settingsFile.ts';
import { chooseModel, modelUsage } from './chosenModel.ts';
import { type Command, readArguments } from './command.ts';
import { numberOption } from './numberOption.ts';
import { scripts } from './scripts.ts';
import { bytesText, counted, storeOptions, toTheEnd, workspaceFolder } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const tuneCommand: Command = {
  usage: `  slipway tune MODEL [--seconds N | --quick] [--rows N] [--write] [--workspace DIR] [--json]
      Measures threads, processes and batches for a model on this machine, and says what it would choose and why.
      ${modelUsage}
      --seconds N       how long each way is measured, twice (default: 2)
      --quick           measures each way for half a second, and once: for a first impression
      --rows N          rows of each request (default: 1)
      --write           writes the choice into slipway.yaml; all else in it stays`,
  run: (args) => {
    const { values, positionals } = readArguments(args, {
      options: {
        ...storeOptions,
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        rows: { type: 'string' },
        write: { type: 'boolean' },
      },
      allowPositionals: true,
    });
    const [named, ...rest] = positionals;
    if (named === undefined || rest.length > 0) throw new UsageError('tune takes one model');
    if (values.quick && values.seconds !== undefined)
      throw new UsageError('--quick and --seconds exclude each other');
    const seconds = numberOption('seconds', values.seconds, 1, 600);
    const rows = numberOption('rows', values.rows, 1, 65_536);
    const plan = tuningPlan.parse({ rows, ...(values.quick ? quickTuning : { seconds }) });
    return toTheEnd(async ({ signal, progress }) => {
      const { model } = await chooseModel({ model: named, workspace: values.workspace, python: null });
      const report = await tune({
        script: scripts.scorer,
        model,
        ...plan,
        signal,
        progress,
        warn: (message) => console.error(`slipway: ${message}`),
      });
      const { choice } = report;
      const reasons = report.reasons.map((reason) => say(reason));
      if (values.json) {
        console.log(JSON.stringify({ ...report, reasons }));
      } else {
        console.log(
          `"${model.name}", version ${model.version}, ${counted(plan.rows, 'row')} a request, on ${counted(report.machine.cores, 'core')}:`,
        );
        console.log(tableOf(report));
        console.log(`\n${reasons.join('\n')}`);
      }
      if (values.write) {
        const file = join(await workspaceFolder(values.workspace), settingsFile);
        await writeSettings(file, { model: model.name }, choice);
        console.error(`slipway: ${file} says so now.`);
      } else if (!values.json) {
        console.log(
          `\nIn slipway.yaml (--write does it):\n\n${settingsText('', { model: model.name }, choice).trimEnd()}`,
        );
      }
      return 0;
    });
  },
};

function tableOf({ measurements, choice }: TuningReport): string {
  const heads = ['threads', 'processes', 'batch rows', 'requests/s', 'p50', 'p99', 'processor', 'memory', ''];
  const lines = measurements.map((measurement) => [
    String(measurement.threads),
    String(measurement.processes),
    String(measurement.batchRows),
    measurement.rate.toFixed(0),
    `${measurement.p50.toFixed(2)} ms`,
    `${measurement.p99.toFixed(2)} ms`,
    measurement.processorMicroseconds === null ? '-' : `${measurement.processorMicroseconds.toFixed(0)} µs`,
    measurement.residentBytes === null ? '-' : bytesText(measurement.residentBytes),
    isChosen(measurement, choice) ? '<- chosen' : '',
  ]);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...lines.map((line) => line[column]?.length ?? 0)),
  );
  return [heads, ...lines]
    .map((line) =>
      line
        .map((cell, column) => cell.padStart(column === heads.length - 1 ? 0 : (widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function isChosen(measurement: RuntimeChoice, { threads, processes, batchRows }: RuntimeChoice): boolean {
  return (
    measurement.threads === threads &&
    measurement.processes === processes &&
    measurement.batchRows === batchRows
  );
}
