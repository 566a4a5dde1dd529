import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';

/** A platform that a package can be made for, as Node.js names system and processor. */
export type Platform = `${string}-${string}`;

export const thisPlatform: Platform = `${process.platform}-${process.arch}`;

/** The packages with native code that a scorer loads, and which of their files it needs on a platform. */
const wantedFiles: Readonly<Record<string, (file: string, platform: Platform) => boolean>> = {
  'better-sqlite3': (file, platform) =>
    ['package.json', 'LICENSE', `prebuilds/${platform}.node`].includes(file) ||
    (/^lib\/.+\.js$/.test(file) && !/^lib\/\w+-(x64|arm64)\.js$/.test(file)),
  'onnxruntime-node': (file, platform) =>
    file === 'package.json' ||
    /^dist\/.+\.js$/.test(file) ||
    file.startsWith(`bin/napi-v6/${platform.replace('-', '/')}/`),
  'onnxruntime-common': (file) => file === 'package.json' || /^dist\/cjs\/(.+\.js|package\.json)$/.test(file),
};

/** The file that tells whether a package has code for a platform. */
const binaries = {
  'better-sqlite3': (platform: Platform) => `prebuilds/${platform}.node`,
  'onnxruntime-node': (platform: Platform) =>
    `bin/napi-v6/${platform.replace('-', '/')}/onnxruntime_binding.node`,
};

export interface NativeFile {
  /** Absolute path. */
  readonly source: string;
  /** The path in a package folder, such as `node_modules/better-sqlite3/package.json`. */
  readonly path: string;
}

/**
 * The files of the native modules for a platform. An installed Slipway holds those of its own platform; one that is
 * developed holds what the packages on npm bring.
 *
 * @param dist the folder of the bundles.
 * @throws SlipwayError `platformMissing`.
 */
export function nativeModuleFiles(dist: string, platform: Platform): readonly NativeFile[] {
  const roots = [join(dist, 'node_modules'), join(dirname(dist), 'node_modules')];
  const root = roots.find((folder) =>
    Object.entries(binaries).every(([name, binary]) => existsSync(join(folder, name, binary(platform)))),
  );
  if (root === undefined) throw new SlipwayError('platformMissing', { platform, own: thisPlatform });
  return Object.entries(wantedFiles).flatMap(([name, isWanted]) =>
    filesBelow(join(root, name))
      .filter((file) => isWanted(file, platform))
      .map((file) => ({ source: join(root, name, file), path: `node_modules/${name}/${file}` })),
  );
}

/** Paths with slashes, relative to the folder. */
function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .filter((file) => !file.includes('node_modules/'))
    .toSorted();
}
