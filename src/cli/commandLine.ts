import { randomBytes } from 'node:crypto';
import { parseArgs } from 'node:util';
import manifest from '../../package.json' with { type: 'json' };
import { up } from './up.ts';

const usage = `slipway: MLOps in your editor, and without it

Usage:
  slipway up [--workspace DIR] [--host H] [--port N] [--token T | --no-token]
      Runs the engine of a folder in the foreground: MLflow's REST dialect, the model registry and its endpoints.
      Prints one JSON line {"url":…,"token":…} when it is ready; ends on SIGINT and SIGTERM.
      --workspace DIR   the folder whose .slipway/ holds the store (default: this folder)
      --host H          the address to listen on (default: 127.0.0.1)
      --port N          the port to listen on (default: a free one)
      --token T         the token to ask for, 16 characters or more (default: a new one)
      --no-token        ask for none
  slipway --help | --version
`;

/**
 * Runs one command line and gives its exit code: 0 done, 1 failed, 2 not understood. A command that runs in the
 * foreground resolves when it ended.
 */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  const command = rest.includes('--help') ? '--help' : first;
  try {
    switch (command) {
      case 'up':
        return await up(parseUp(rest));
      case '--version':
        console.log(manifest.version);
        return 0;
      case undefined:
      case '--help':
      case '-h':
        console.log(usage);
        return command === undefined ? 2 : 0;
      default:
        throw new UsageError(`unknown command "${command}"`);
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`slipway: ${error.message}\nRun "slipway --help" for what it understands.`);
    return 2;
  }
}

class UsageError extends Error {}

function parseUp(args: readonly string[]): Parameters<typeof up>[0] {
  const { values } = parse(args);
  if (values.token !== undefined && values['no-token']) {
    throw new UsageError('--token and --no-token exclude each other');
  }
  if (values.token !== undefined && values.token.length < 16) {
    throw new UsageError('--token must have 16 characters or more');
  }
  return {
    workspace: values.workspace ?? '.',
    host: values.host ?? '127.0.0.1',
    port: parsePort(values.port),
    token: values['no-token'] ? null : (values.token ?? newToken()),
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        workspace: { type: 'string' },
        host: { type: 'string' },
        port: { type: 'string' },
        token: { type: 'string' },
        'no-token': { type: 'boolean' },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function parsePort(text: string | undefined): number {
  if (text === undefined) return 0;
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > 65_535) {
    throw new UsageError(`--port must be a whole number from 0 to 65535, not "${text}"`);
  }
  return port;
}
