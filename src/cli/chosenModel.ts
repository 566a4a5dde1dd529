import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join, resolve } from 'node:path';
import { SlipwayError } from '../protocol/errors.ts';
import type { ScorerModelInput } from '../protocol/scorer.ts';
import { scripts } from './scripts.ts';
import { workspaceFolder } from './storeCommand.ts';

/** The model that a command was told to serve, package or measure. */
export interface ChosenModel {
  readonly model: ScorerModelInput;
  /** The inference log of its endpoint in the store; null for a model that comes from no store. */
  readonly inferenceLog: string | null;
}

/** How the commands that take a model explain it in their usage. */
export const modelUsage = `MODEL is a registered model's name (the version in Production, else the newest), NAME/VERSION, NAME/STAGE or
      NAME@ALIAS; or the path of an .onnx file, which needs no store.`;

export interface ModelChoice {
  /** As the person named it. */
  readonly model: string;
  /** Undefined: the current folder. */
  readonly workspace: string | undefined;
  /** Absolute path of the interpreter that may load what only Python can run; null where none may. */
  readonly python: string | null;
}

/**
 * Finds a model in the store, whether an engine runs on it or not, or as an ONNX file.
 *
 * @throws SlipwayError `notFound`, `noStore` or `versionNotServable`.
 */
export async function chooseModel({ model, workspace, python }: ModelChoice): Promise<ChosenModel> {
  if (extname(model).toLowerCase() === '.onnx')
    return { model: await modelOfFile(model), inferenceLog: null };
  const folder = await workspaceFolder(workspace);
  if ((await stat(join(folder, '.slipway', 'store.db')).catch(() => null)) === null) {
    throw new SlipwayError('noStore', { path: folder });
  }
  // Loaded where it is needed: an ONNX file is served without it, and so sooner.
  const { openEngine, servableByName } = await import('../engine/engine.ts');
  const engine = await openEngine({
    workspace: folder,
    host: '127.0.0.1',
    port: 0,
    token: null,
    trusted: true,
    doors: false,
    scripts,
  });
  try {
    return servableByName(engine, folder, model, { python });
  } finally {
    await engine.close();
  }
}

async function modelOfFile(path: string): Promise<ScorerModelInput> {
  const file = resolve(path);
  const content = await readFile(file).catch((error: unknown) => {
    const detail = `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
    throw new SlipwayError('notFound', { detail }, { cause: error });
  });
  return {
    name: basename(file, extname(file)),
    version: 1,
    source: { type: 'onnx', file },
    digest: createHash('sha256').update(content).digest('hex'),
  };
}
