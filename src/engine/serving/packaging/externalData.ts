import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { detail } from '../../../protocol/errorDetails.ts';
import { SlipwayError } from '../../../protocol/errors.ts';

/**
 * The key of an entry of `TensorProto.external_data` (onnx.proto: `StringStringEntryProto`, fields 1 and 2, both
 * strings) that names the file in which a tensor's values lie, as it is written on the wire, up to the value's tag.
 */
const locationKey = Buffer.from('\x0a\x08location\x12', 'latin1');

/**
 * Names the files beside an ONNX file in which values of its tensors lie, relative to it.
 *
 * @param model the ONNX file's bytes.
 */
export function externalDataNames(model: Buffer): readonly string[] {
  const names = new Set<string>();
  for (let at = model.indexOf(locationKey); at >= 0; at = model.indexOf(locationKey, at + 1)) {
    const name = readText(model, at + locationKey.length);
    if (name) names.add(name);
  }
  return [...names].toSorted();
}

/**
 * The absolute paths of those files, by the path that the model knows them by.
 *
 * @throws SlipwayError `modelUnreadable` when one is not there, or not below the ONNX file's folder.
 */
export function externalDataFiles(
  file: string,
  model: Buffer,
  { name, version }: { readonly name: string; readonly version: number },
): ReadonlyMap<string, string> {
  const folder = realpathSync(dirname(file));
  return new Map(
    externalDataNames(model).map((path) => {
      const found = join(folder, path);
      const unreadable = (kind: 'modelPartMissing' | 'modelPartElsewhere') =>
        new SlipwayError('modelUnreadable', { model: name, version, detail: detail(kind, { path }) });
      if (!existsSync(found)) throw unreadable('modelPartMissing');
      if (!realpathSync(found).startsWith(folder + sep)) throw unreadable('modelPartElsewhere');
      return [posix.normalize(path), found];
    }),
  );
}

/** A length in base 128 and so many bytes of UTF-8; null when that is none. */
function readText(bytes: Buffer, start: number): string | null {
  let length = 0;
  let at = start;
  for (let shift = 0; shift < 21; shift += 7) {
    const byte = bytes[at] ?? 0;
    at += 1;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) return at + length <= bytes.length ? bytes.toString('utf8', at, at + length) : null;
  }
  return null;
}
