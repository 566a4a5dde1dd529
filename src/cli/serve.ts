import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { dirname, resolve } from 'node:path';
import type { BegunScorer } from '../supervision/begunScorer.ts';
import { keepUntilSignal } from '../supervision/keepUntilSignal.ts';
import { type Fleet, startFleet } from '../supervision/scorerFleet.ts';
import { type ChosenModel, chooseModel, modelUsage } from './chosenModel.ts';
import { type Command, readArguments } from './command.ts';
import { readHostNames } from './hostNameOption.ts';
import { findInterpreter } from './interpreter.ts';
import { numberOption } from './numberOption.ts';
import { scripts } from './scripts.ts';
import { tellFailure } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const serveCommand: Command = {
  usage: `  slipway serve MODEL [--workspace DIR] [--host H] [--host-name NAME]... [--port N] [--grpc-port N]
                [--token T | --no-token] [--log FILE | --no-log] [--threads N] [--processes N] [--batch-rows N]
                [--allow-python] [--python FILE]
      Serves a model in the foreground, whether an engine runs in that folder or not. Prints one JSON line
      {"url":…,"token":…,"model":…,"version":…} when it is ready; answers what is under way and ends on SIGINT and
      SIGTERM. A scorer that crashes or takes too long is started again.
      ${modelUsage}
      --host H          the address to listen on (default: 127.0.0.1); others ask for --token or --no-token
      --host-name NAME  a further host name by which it is asked, such as that of a proxy before it; may be repeated
      --port N          the port to listen on (default: a free one)
      --grpc-port N     answers the Open Inference Protocol over gRPC, too, 0 on a free port
      --token T         the token to ask for, 16 characters or more (default: a new one)
      --no-token        ask for none
      --log FILE        the inference log (default: that of the model's endpoint in the store)
      --no-log          keep none
      --threads N       threads inside one run of the model (default: 1)
      --processes N     scorer processes that share the port (default: 1)
      --batch-rows N    rows after which a batch takes no further request; 1 never joins requests (default: 1024)
      --allow-python    lets a model that only Python can run be loaded by your interpreter, which runs its code
      --python FILE     that interpreter (default: the first on the search path)`,
  run: (args, scorer) => serve(readOptions(args), scorer),
};

interface ServeOptions {
  readonly model: string;
  readonly workspace: string | undefined;
  readonly host: string;
  readonly hosts: readonly string[];
  /** 0 takes a free one. */
  readonly port: number;
  readonly grpcPort: number | null;
  /** Null asks for none. */
  readonly token: string | null;
  /** Undefined: the endpoint's own in the store. Null keeps none. */
  readonly log: string | null | undefined;
  readonly threads: number;
  readonly processes: number;
  readonly batchRows: number;
  readonly allowPython: boolean;
  readonly python: string | undefined;
}

/** Serves a model until SIGINT or SIGTERM. Gives the exit code. */
async function serve(options: ServeOptions, begun: BegunScorer | null): Promise<number> {
  try {
    await keepUntilSignal(
      async () => {
        const python = options.allowPython ? await findInterpreter(options.python) : null;
        return start(await chooseModel({ ...options, python }), options, begun);
      },
      (fleet) => tellReady(fleet, options),
    );
    return 0;
  } catch (error) {
    tellFailure(error);
    return 1;
  }
}

async function start(
  { model, inferenceLog }: ChosenModel,
  options: ServeOptions,
  begun: BegunScorer | null,
): Promise<Fleet> {
  const { host, hosts, port, grpcPort, token, threads, processes, batchRows } = options;
  const log = options.log === undefined ? inferenceLog : options.log;
  if (log !== null) await mkdir(dirname(log), { recursive: true });
  return startFleet({
    script: scripts.scorer,
    port,
    grpcPort,
    processes,
    begun,
    scorer: {
      endpoint: model.name,
      models: [model],
      host,
      hosts: [...hosts],
      token,
      inferenceLog: log === null ? null : { file: log },
      runtime: { threads, batchRows },
    },
    log: (message) => console.error(`slipway: ${message}`),
  });
}

function tellReady({ url, versions, grpcPort }: Fleet, { host, token }: ServeOptions): void {
  const [served] = versions;
  console.log(
    JSON.stringify({
      url,
      token,
      model: served?.name,
      version: served?.version,
      ...(grpcPort === null ? {} : { grpcPort }),
    }),
  );
  if (token === null && !isLoopback(host)) {
    console.error(
      `slipway: It listens on ${host} and asks for no token: whoever reaches this machine may ask it.`,
    );
  }
}

function readOptions(args: readonly string[]): ServeOptions {
  const { values, positionals } = readArguments(args, {
    options: {
      workspace: { type: 'string' },
      host: { type: 'string' },
      'host-name': { type: 'string', multiple: true },
      port: { type: 'string' },
      'grpc-port': { type: 'string' },
      token: { type: 'string' },
      'no-token': { type: 'boolean' },
      log: { type: 'string' },
      'no-log': { type: 'boolean' },
      threads: { type: 'string' },
      processes: { type: 'string' },
      'batch-rows': { type: 'string' },
      'allow-python': { type: 'boolean' },
      python: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [model, ...rest] = positionals;
  if (model === undefined || rest.length > 0) throw new UsageError('serve takes one model');
  const host = values.host ?? '127.0.0.1';
  const { log } = values;
  if (log !== undefined && values['no-log']) throw new UsageError('--log and --no-log exclude each other');
  if (values.python !== undefined && !values['allow-python'])
    throw new UsageError('--python needs --allow-python, which lets the model run code');
  return {
    model,
    workspace: values.workspace,
    host,
    hosts: readHostNames(values['host-name']),
    port: numberOption('port', values.port, 0, 65_535) ?? 0,
    grpcPort: numberOption('grpc-port', values['grpc-port'], 0, 65_535) ?? null,
    token: readToken(host, values.token, values['no-token'] === true),
    log: values['no-log'] ? null : log === undefined ? undefined : resolve(log),
    threads: numberOption('threads', values.threads, 1, 256) ?? 1,
    processes: numberOption('processes', values.processes, 1, 64) ?? 1,
    batchRows: numberOption('batch-rows', values['batch-rows'], 1, 65_536) ?? 1024,
    allowPython: values['allow-python'] === true,
    python: values.python,
  };
}

function readToken(host: string, token: string | undefined, none: boolean): string | null {
  if (token !== undefined && none) throw new UsageError('--token and --no-token exclude each other');
  if (token !== undefined && token.length < 16)
    throw new UsageError('--token must have 16 characters or more');
  if (none) return null;
  if (token === undefined && !isLoopback(host)) {
    throw new UsageError(
      `on ${host} other machines may reach it: give --token T, or --no-token if all of them may ask it`,
    );
  }
  return token ?? randomBytes(32).toString('base64url');
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
