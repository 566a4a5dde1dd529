import { randomBytes } from 'node:crypto';
import { type Engine, openEngine } from '../engine/engine.ts';
import { type Command, readArguments } from './command.ts';
import { scripts, tellFailure, workspaceFolder } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const upCommand: Command = {
  usage: `  slipway up [--workspace DIR] [--host H] [--port N] [--token T | --no-token]
      Runs the engine of a folder in the foreground: MLflow's REST dialect, the model registry and its endpoints.
      Prints one JSON line {"url":…,"token":…} when it is ready; ends on SIGINT and SIGTERM.
      --host H          the address to listen on (default: 127.0.0.1)
      --port N          the port to listen on (default: a free one)
      --token T         the token to ask for, 16 characters or more (default: a new one)
      --no-token        ask for none`,
  run: (args) => up(readOptions(args)),
};

interface UpOptions {
  /** Undefined: the current folder. */
  readonly workspace: string | undefined;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Null asks for none. */
  readonly token: string | null;
}

/** Runs an engine in the foreground until SIGINT or SIGTERM. Gives the exit code. */
async function up(options: UpOptions): Promise<number> {
  const ended = new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  let engine: Engine;
  try {
    engine = await openEngine({
      workspace: await workspaceFolder(options.workspace),
      host: options.host,
      port: options.port,
      whenPortTaken: 'fail',
      token: options.token,
      trusted: true,
      listener(event, data) {
        if (event === 'log' && 'message' in data) console.error(`slipway: ${data.message}`);
      },
      scripts,
    });
  } catch (error) {
    tellFailure(error);
    return 1;
  }
  console.log(JSON.stringify({ url: engine.address?.url, token: engine.address?.token ?? null }));
  await ended;
  await engine.close();
  return 0;
}

function readOptions(args: readonly string[]): UpOptions {
  const { values } = readArguments(args, {
    options: {
      workspace: { type: 'string' },
      host: { type: 'string' },
      port: { type: 'string' },
      token: { type: 'string' },
      'no-token': { type: 'boolean' },
    },
  });
  if (values.token !== undefined && values['no-token']) {
    throw new UsageError('--token and --no-token exclude each other');
  }
  if (values.token !== undefined && values.token.length < 16) {
    throw new UsageError('--token must have 16 characters or more');
  }
  return {
    workspace: values.workspace,
    host: values.host ?? '127.0.0.1',
    port: readPort(values.port),
    token: values['no-token'] ? null : (values.token ?? randomBytes(32).toString('base64url')),
  };
}

function readPort(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new UsageError(`--port must be a whole number from 0 to 65535, not "${text}"`);
  }
  return port;
}
