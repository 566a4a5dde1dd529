import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { Engine } from '../engine/engine.ts';
import { type Command, readArguments } from './command.ts';
import { scripts } from './scripts.ts';
import { tellFailure, workspaceFolder } from './storeCommand.ts';
import { UsageError } from './usageError.ts';

export const upCommand: Command = {
  usage: `  slipway up [--workspace DIR] [--host H] [--port N] [--token T | --no-token]
             [--allow-python [--python FILE]]
      Runs the engine of a folder in the foreground: MLflow's REST dialect, the model registry and its endpoints.
      Prints one JSON line {"url":…,"token":…} when it is ready; ends on SIGINT and SIGTERM.
      --host H          the address to listen on (default: 127.0.0.1)
      --port N          the port to listen on (default: a free one)
      --token T         the token to ask for, 16 characters or more (default: a new one)
      --no-token        ask for none
      --allow-python    lets endpoints load models that only Python can load, which runs the models' code
      --python FILE     the interpreter for it (default: that of the model's run, else python3)`,
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
  readonly allowPython: boolean;
  /** Null leaves the choice to the engine. */
  readonly python: string | null;
}

/** Runs an engine in the foreground until SIGINT or SIGTERM. Gives the exit code. */
async function up(options: UpOptions): Promise<number> {
  const ended = new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  let engine: Engine;
  try {
    const { openEngine } = await import('../engine/engine.ts');
    engine = await openEngine({
      workspace: await workspaceFolder(options.workspace),
      host: options.host,
      port: options.port,
      whenPortTaken: 'fail',
      token: options.token,
      trusted: true,
      python: { all: options.allowPython, python: options.python, consents: [] },
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
      'allow-python': { type: 'boolean' },
      python: { type: 'string' },
    },
  });
  if (values.token !== undefined && values['no-token']) {
    throw new UsageError('--token and --no-token exclude each other');
  }
  if (values.token !== undefined && values.token.length < 16) {
    throw new UsageError('--token must have 16 characters or more');
  }
  if (values.python !== undefined && !values['allow-python']) {
    throw new UsageError('--python needs --allow-python');
  }
  return {
    workspace: values.workspace,
    host: values.host ?? '127.0.0.1',
    port: readPort(values.port),
    token: values['no-token'] ? null : (values.token ?? randomBytes(32).toString('base64url')),
    allowPython: values['allow-python'] ?? false,
    python: values.python === undefined ? null : resolve(values.python),
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
