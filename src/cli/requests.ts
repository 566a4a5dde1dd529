import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { type ReplayReport, type RequestFilter, requestFilter } from '../protocol/requests.ts';
import { type Command, readArguments } from './command.ts';
import { type CommandControl, counted, storeOptions, withStore } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const requestsCommand: Command = {
  usage: `  slipway requests ENDPOINT [--workspace DIR] [--last N] [--output FILE | --replay VERSION] [--since T] [--until T]
                [--version N] [--variant V] [--failed | --answered] [--id ID] [--json]
      Shows what an endpoint was asked and what it answered, newest first: 20 requests unless --last says more.
      --output FILE     writes them all to a .csv, .tsv, .jsonl or .parquet file instead, one row for each row of a request
      --replay VERSION  asks another version the same and tells how its predictions differ (of the last 10,000 requests)
      --since, --until  a moment such as 2026-03-01 or 2026-03-01T12:00Z
      --version, --variant, --failed, --answered, --id  only such requests`,
  run: async (args) => {
    const { workspace, ...options } = readOptions(args);
    return withStore(workspace, (engine, control) => run(engine, options, control));
  },
};

interface RequestsOptions {
  readonly endpoint: string;
  readonly last: number | null;
  readonly output: string | null;
  readonly replay: number | null;
  readonly filter: RequestFilter;
  readonly json: boolean;
}

const shownRequests = 20;
const replayedRequests = 10_000;

async function run(engine: Engine, options: RequestsOptions, control: CommandControl): Promise<number> {
  const { endpoint, filter, json, last } = options;
  const { signal, terminal } = control;
  const job = { signal, progress: (fraction: number) => terminal.show(fraction, '') };
  if (options.output !== null) {
    const report = await engine.requestLog.export(
      { endpoint, filter, output: options.output, format: null },
      job,
    );
    terminal.clear();
    const sentence = `${report.output}: ${counted(report.rows, 'row')} of ${counted(report.requests, 'request')}.`;
    console.log(json ? JSON.stringify(report) : sentence);
    return 0;
  }
  if (options.replay !== null) {
    const limit = last ?? replayedRequests;
    const report = await engine.requestLog.replay(
      { endpoint, filter, modelVersion: options.replay, limit },
      job,
    );
    terminal.clear();
    console.log(json ? JSON.stringify(report) : replayText(report));
    return 0;
  }
  show(engine, options);
  return 0;
}

function show({ requestLog }: Engine, { endpoint, filter, last, json }: RequestsOptions): void {
  const wanted = last ?? shownRequests;
  let before: number | null = null;
  let shown = 0;
  do {
    const page = requestLog.page(endpoint, filter, before, Math.min(1000, wanted - shown));
    for (const request of page.requests) {
      shown += 1;
      if (json) console.log(JSON.stringify(request));
      else {
        const { receivedAt, requestId, version, variant, status, latencyMilliseconds, inputs, outputs } =
          request;
        const when = new Date(receivedAt).toISOString();
        const who = version === null ? '' : ` v${version} ${variant}`;
        console.log(`${when} ${status}${who} ${latencyMilliseconds.toFixed(1)} ms ${requestId}`);
        if (inputs !== null) console.log(`  ${inputs} -> ${outputs}`);
      }
    }
    before = page.before;
  } while (before !== null && shown < wanted);
  if (shown === 0 && !json) console.log(`The endpoint "${endpoint}" logged no such requests.`);
}

function replayText(report: ReplayReport): string {
  const { model, version, loggedVersions, requests, rows, equalRows, outputs } = report;
  const { outputsNotCompared, failedRequests, failures } = report;
  const then = loggedVersions.map((logged) => `v${logged}`).join(', ');
  const lines = [
    `Version ${version} of "${model}" on ${counted(requests, 'request')} that ${then} answered: ${equalRows} of ${counted(rows, 'row')} agree.`,
    ...outputs.map(({ name, equalRows: equal, meanAbsoluteDifference, largestAbsoluteDifference }) => {
      const numbers =
        meanAbsoluteDifference === null
          ? ''
          : `, differs by ${meanAbsoluteDifference.toPrecision(4)} on average, ${largestAbsoluteDifference?.toPrecision(4)} at most`;
      return `  ${name}: ${equal} of ${rows} agree${numbers}`;
    }),
  ];
  if (outputsNotCompared.length > 0) lines.push(`  not compared: ${outputsNotCompared.join(', ')}`);
  if (failedRequests > 0) lines.push(`  ${counted(failedRequests, 'request')} could not be answered:`);
  return [...lines, ...failures.map(({ requestId, reason }) => `    ${requestId}: ${reason}`)].join('\n');
}

function readOptions(args: readonly string[]): RequestsOptions & { readonly workspace: string | undefined } {
  const { values, positionals } = readArguments(args, {
    options: {
      ...storeOptions,
      last: { type: 'string' },
      output: { type: 'string' },
      replay: { type: 'string' },
      since: { type: 'string' },
      until: { type: 'string' },
      version: { type: 'string' },
      variant: { type: 'string' },
      failed: { type: 'boolean' },
      answered: { type: 'boolean' },
      id: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [endpoint, ...rest] = positionals;
  if (endpoint === undefined || rest.length > 0) throw new UsageError('requests takes one endpoint');
  if (values.output !== undefined && values.replay !== undefined) {
    throw new UsageError('--output and --replay exclude each other');
  }
  if (values.output !== undefined && values.last !== undefined) {
    throw new UsageError('--output writes all requests; narrow them with --since instead of --last');
  }
  if (values.failed && values.answered) throw new UsageError('--failed and --answered exclude each other');
  return {
    endpoint,
    workspace: values.workspace,
    json: values.json === true,
    last: positive('--last', values.last),
    output: values.output === undefined ? null : resolve(values.output),
    replay: positive('--replay', values.replay),
    filter: requestFilter.parse({
      from: moment('--since', values.since),
      to: moment('--until', values.until),
      version: positive('--version', values.version),
      variant: values.variant ?? null,
      failed: values.failed ? true : values.answered ? false : null,
      requestId: values.id ?? null,
    }),
  };
}

function positive(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  if (!/^[1-9]\d{0,8}$/.test(text))
    throw new UsageError(`${option} must be a whole number above 0, not "${text}"`);
  return Number(text);
}

function moment(option: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  // Date.parse takes any number for a year or a month.
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time))
    throw new UsageError(`${option} must be a moment such as 2026-03-01T12:00Z, not "${text}"`);
  return time;
}
