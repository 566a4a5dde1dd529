import { realpathSync, statSync } from 'node:fs';
import { join, sep } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import { type Mlmodel, readMlmodel } from '../tracking/mlmodel.ts';

/** What a scorer needs to know of a registered version. */
export interface ServableModel {
  readonly name: string;
  readonly version: number;
  /** Absolute path of the ONNX file. */
  readonly file: string;
  /** Names of the signature's columns, in order; null when it has none. */
  readonly columns: string[] | null;
  /** Absolute path of its logged input example; null when it has none. */
  readonly example: string | null;
}

/**
 * Finds the ONNX model in a version's folder.
 *
 * @throws SlipwayError `versionNotServable` when the version has none, or its file is not there.
 */
export function servableModel(folder: string, name: string, version: number): ServableModel {
  const mlmodel = readMlmodel(folder);
  const onnx = mlmodel?.flavors.onnx;
  const notServable = (flavors: string) =>
    new SlipwayError('versionNotServable', { model: name, version, flavors });
  if (!mlmodel || !onnx)
    throw notServable(Object.keys(mlmodel?.flavors ?? {}).join(', ') || 'no MLmodel file');
  const data = typeof onnx.data === 'string' ? onnx.data : 'model.onnx';
  const file = insideFile(folder, data);
  if (!file) throw notServable(`${data} is missing`);
  const [example = null] = mlmodel.inputExampleFiles.flatMap((path) => insideFile(folder, path) ?? []);
  return { name, version, file, columns: columnNames(mlmodel), example };
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
