import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Engine, EngineOptions } from '../engine/engine.ts';
import {
  type ErrorData,
  type ErrorKind,
  fromErrorData,
  SlipwayError,
  toSlipwayError,
} from '../protocol/errors.ts';
import { scripts } from './scripts.ts';
import { createTerminalProgress, type TerminalProgress } from './terminalProgress.ts';

/** What every command on a store understands. */
export const storeOptions = {
  workspace: { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** What a command does with a store, told how far it is; SIGINT aborts the signal. */
export interface CommandControl {
  readonly signal: AbortSignal;
  readonly progress: (fraction: number) => void;
  /** Where the progress is shown, for what has more to say of it. */
  readonly terminal: TerminalProgress;
}

export interface StoreCommandOptions {
  /** Whether a folder that has no store gets one. */
  readonly create?: boolean;
  /** Which models may be loaded that only Python can load; none unless said. */
  readonly python?: EngineOptions['python'];
}

/**
 * Opens the store of a folder, whether an engine runs on it or not, and closes it after the work. Gives the work's exit
 * code, or 1 after it has said what failed.
 */
export async function withStore(
  folder: string | undefined,
  work: (engine: Engine, control: CommandControl) => Promise<number>,
  { create = false, python }: StoreCommandOptions = {},
): Promise<number> {
  return toTheEnd(async (control) => {
    const workspace = await workspaceFolder(folder);
    if (!create && (await stat(join(workspace, '.slipway', 'store.db')).catch(() => null)) === null) {
      throw new SlipwayError('noStore', { path: workspace });
    }
    // Loaded here: a command that needs no store starts sooner without it.
    const { openEngine } = await import('../engine/engine.ts');
    const engine = await openEngine({
      workspace,
      host: '127.0.0.1',
      port: 0,
      token: null,
      trusted: true,
      doors: false,
      ...(python && { python }),
      listener(event, data) {
        if (event === 'log' && 'message' in data) console.error(`slipway: ${data.message}`);
      },
      scripts,
    });
    try {
      return await work(engine, control);
    } finally {
      await engine.close();
    }
  });
}

/**
 * The absolute path of the folder that `--workspace` names.
 *
 * @throws SlipwayError `notFound` when it is no folder.
 */
export async function workspaceFolder(named: string | undefined): Promise<string> {
  const folder = resolve(named ?? '.');
  if ((await stat(folder).catch(() => null))?.isDirectory()) return folder;
  const detail = `there is no folder ${folder}. Create it, or name another with --workspace.`;
  throw new SlipwayError('notFound', { detail });
}

/** Runs work that SIGINT cancels, and says what failed. */
export async function toTheEnd(work: (control: CommandControl) => Promise<number>): Promise<number> {
  const abort = new AbortController();
  const cancel = () => abort.abort();
  const progress = createTerminalProgress(process.stderr);
  process.once('SIGINT', cancel);
  process.once('SIGTERM', cancel);
  try {
    return await work({
      signal: abort.signal,
      progress: (fraction) => progress.show(fraction),
      terminal: progress,
    });
  } catch (error) {
    progress.clear();
    tellFailure(error);
    return 1;
  } finally {
    progress.clear();
    process.off('SIGINT', cancel);
    process.off('SIGTERM', cancel);
  }
}

/** Says on standard error what failed; with where, when nobody foresaw it, as there is no output channel to look into. */
export function tellFailure(thrown: unknown): void {
  const error = toSlipwayError(thrown);
  if (error.kind !== 'internal') {
    console.error(`slipway: ${sentenceOf(error)}`);
    return;
  }
  const { stack = '' } = error.cause instanceof Error ? error.cause : error;
  console.error(`slipway: ${error.message}\n${stack}\nPlease report it with these lines.`);
}

const remediesHere: ReadonlyMap<ErrorKind, string> = new Map([
  ['internal', 'Please report it.'],
  ['endpointFailed', 'Start it again.'],
]);

/** What happened and what to do about it, as one line, which names no output channel: only the editor has some. */
export function sentenceOf(error: SlipwayError | ErrorData): string {
  const { kind, message, remedy: inEditor } = error instanceof SlipwayError ? error : fromErrorData(error);
  const remedy = remediesHere.get(kind) ?? inEditor;
  if (remedy === '') return message;
  return /[.!?]$/.test(message) ? `${message} ${remedy}` : `${message}. ${remedy}`;
}

/** Such as "1 run" or "2 runs". */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Such as "1.4 MB"; 1 MB is 1,000,000 bytes. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  let size = bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? size : size.toFixed(size < 10 ? 1 : 0)} ${units[unit]}`;
}
