import { realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ScorerModel } from '../../protocol/scorer.ts';
import { type Mlmodel, readMlmodel } from '../tracking/mlmodel.ts';

/** What a scorer needs to know of a registered version. */
export interface ServableModel {
  readonly name: string;
  readonly version: number;
  /** The ONNX file, or the folder that only Python can load. */
  readonly source: ScorerModel['source'];
  /** Names of the signature's columns, in order; null when it has none. */
  readonly columns: string[] | null;
  /** Absolute path of its logged input example; null when it has none. */
  readonly example: string | null;
}

export interface ServableOptions {
  /** Absolute path of the interpreter that the person allowed to load the version; null when there is none. */
  readonly python: string | null;
}

/**
 * Finds what can be served in a version's folder: its ONNX model, else its MLflow Python model.
 *
 * @throws SlipwayError `versionNotServable` when the version has neither, or its file is not there;
 * `pythonConsentNeeded` when only Python could load it, and nobody has allowed that.
 */
export function servableModel(
  folder: string,
  name: string,
  version: number,
  { python }: ServableOptions,
): ServableModel {
  const mlmodel = readMlmodel(folder);
  const notServable = (flavors: string) =>
    new SlipwayError('versionNotServable', { model: name, version, flavors });
  if (!mlmodel) throw notServable('no MLmodel file');
  const [example = null] = mlmodel.inputExampleFiles.flatMap((path) => insideFile(folder, path) ?? []);
  const facts = { name, version, columns: columnNames(mlmodel), example };
  const { onnx } = mlmodel.flavors;
  if (onnx) {
    const data = typeof onnx.data === 'string' ? onnx.data : 'model.onnx';
    const file = insideFile(folder, data);
    if (!file) throw notServable(`${data} is missing`);
    return { ...facts, source: { type: 'onnx', file } };
  }
  if (!needsPython(mlmodel)) throw notServable(Object.keys(mlmodel.flavors).join(', ') || 'no flavor');
  if (python === null) throw new SlipwayError('pythonConsentNeeded', { model: name, version, folder });
  return { ...facts, source: { type: 'python', folder: realpathSync(folder), python } };
}

/** Whether only Python can run a model: it has no ONNX file, but MLflow's Python flavour. */
export function needsPython({ flavors }: Mlmodel): boolean {
  return flavors.onnx === undefined && flavors.python_function !== undefined;
}

/** The file at a path that must not lead out of the folder, not by a symbolic link either; null when there is none. */
function insideFile(folder: string, path: string): string | null {
  const found = statSync(join(folder, path), { throwIfNoEntry: false });
  if (!found?.isFile()) return null;
  const file = realpathSync(join(folder, path));
  return file.startsWith(realpathSync(folder) + sep) ? file : null;
}

function columnNames({ signature }: Mlmodel): string[] | null {
  const inputs = signature?.inputs;
  if (!inputs?.length || inputs.some(({ name, tensor }) => name === null || tensor)) return null;
  return inputs.flatMap(({ name }) => name ?? []);
}
