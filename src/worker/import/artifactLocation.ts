import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocationRemap } from '../../protocol/importing.ts';
import { isInside } from './artifactFiles.ts';

/** Where artifacts lie, for one who may only read below some folders. */
export type ArtifactLocation =
  /** In `folder`, out of whose `root` no link may lead. */
  | { readonly kind: 'here'; readonly folder: string; readonly root: string }
  /** In a folder of this machine that nobody said may be read. */
  | { readonly kind: 'elsewhere'; readonly folder: string }
  /** In no folder of this machine. */
  | { readonly kind: 'missing'; readonly folder: string }
  /** Behind another scheme than `file:`. */
  | { readonly kind: 'remote'; readonly uri: string };

export interface LocationRules {
  /** What is imported: a folder whose own files may be read. Relative locations start there. */
  readonly source: string;
  /** Folders, relative to the source, where a server keeps what it calls `mlflow-artifacts:`. */
  readonly servedFrom: readonly string[];
  readonly remaps: readonly LocationRemap[];
}

/**
 * Finds what an artifact location such as `file:///data/mlruns/1`, `./mlruns/1` or `s3://bucket/1` means here. A file
 * that names its own artifacts may have been made by anybody, so only what lies below the source, or below a folder that
 * the person named in a remap, is `here`.
 */
export function locateArtifacts(location: string, rules: LocationRules): ArtifactLocation {
  const remapped = remap(location, rules.remaps);
  if (remapped !== null) return locateFolder(remapped.folder, remapped.root);
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  if (scheme === 'mlflow-artifacts') {
    const path = location.slice('mlflow-artifacts:'.length).replace(/^\/\/[^/]*(?=\/)/, '');
    const folders = rules.servedFrom.map((folder) => join(rules.source, folder, path));
    const found = folders.find((folder) => existsSync(folder));
    return found === undefined ? { kind: 'missing', folder: location } : locateFolder(found, rules.source);
  }
  const folder = localPath(location, scheme);
  if (folder === null) return { kind: 'remote', uri: location };
  return locateFolder(resolve(rules.source, folder), rules.source);
}

function locateFolder(folder: string, root: string): ArtifactLocation {
  if (!existsSync(folder)) return { kind: 'missing', folder };
  return isInside(realpathSync(folder), realpathSync(root))
    ? { kind: 'here', folder, root }
    : { kind: 'elsewhere', folder };
}

function remap(location: string, remaps: readonly LocationRemap[]): { folder: string; root: string } | null {
  const path = localPath(location, /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase());
  for (const { from, to } of remaps) {
    for (const given of path === null ? [location] : [location, path]) {
      const prefix = from.replace(/[/\\]+$/, '');
      const rest = given.slice(prefix.length);
      if (!given.startsWith(prefix) || !(rest === '' || /^[/\\]/.test(rest))) continue;
      if (rest.split(/[/\\]/).includes('..')) continue;
      return { folder: join(to, ...rest.split(/[/\\]/)), root: to };
    }
  }
  return null;
}

/** The path of a location without a scheme, or with `file:`; null for others. A drive letter is no scheme. */
function localPath(location: string, scheme: string | undefined): string | null {
  if (scheme === undefined) return location;
  if (scheme !== 'file') return null;
  const rest = location.slice('file:'.length);
  if (/^\/\/\//.test(rest)) {
    try {
      return fileURLToPath(location);
    } catch {
      return rest.slice(2);
    }
  }
  const path = rest.replace(/^\/\/(localhost)?(?=\/)/, '');
  return isAbsolute(path) || path.startsWith('.') ? path : `./${path.replace(/^\/+/, '')}`;
}
