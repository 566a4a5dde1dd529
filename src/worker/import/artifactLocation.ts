import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ImportOmission, LocationRemap } from '../../protocol/importing.ts';
import { isInside } from './artifactFiles.ts';
import { omission } from './tracker/omission.ts';

/** Where artifacts lie, for one who may only read below some folders. */
export type ArtifactLocation =
  /** In `folder`, out of whose `root` no link may lead. */
  | { readonly kind: 'here'; readonly folder: string; readonly root: string }
  /** In a folder of this machine that nobody said may be read; what a server serves goes by the server's name for it. */
  | { readonly kind: 'elsewhere'; readonly folder: string }
  /** In no folder of this machine. */
  | { readonly kind: 'missing'; readonly folder: string }
  /** Behind another scheme than `file:`. */
  | { readonly kind: 'remote'; readonly uri: string };

export interface LocationRules {
  /** What is imported: a folder whose own files may be read. Relative locations start there. */
  readonly source: string;
  /** Folders, relative to the source, where a server keeps what it calls `mlflow-artifacts:`. They may be read too. */
  readonly servedFrom: readonly string[];
  readonly remaps: readonly LocationRemap[];
}

/**
 * Finds what an artifact location such as `file:///data/mlruns/1`, `./mlruns/1` or `s3://bucket/1` means here. A file
 * that names its own artifacts may have been made by anybody, so only what lies below the source, below a folder beside it
 * from which a server serves, or below a folder that the person named in a remap, is `here`.
 */
export function locateArtifacts(location: string, rules: LocationRules): ArtifactLocation {
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(location)?.[1]?.toLowerCase();
  const path = localPath(location, scheme);
  const remapped = remap(
    path === null ? [location] : [location, path, resolve(rules.source, path)],
    rules.remaps,
  );
  if (remapped !== null) return locateFolder(remapped.folder, remapped.root);
  if (scheme === 'mlflow-artifacts') return locateServed(location, rules);
  if (path === null) return { kind: 'remote', uri: location };
  return locateFolder(resolve(rules.source, path), rules.source);
}

/** What to say of artifacts that cannot be taken from where they are. */
export function* omittedArtifacts(subject: string, location: ArtifactLocation): Iterable<ImportOmission> {
  if (location.kind === 'elsewhere') yield omission(subject, 'filesElsewhere', { location: location.folder });
  if (location.kind === 'missing') yield omission(subject, 'filesMissing', { location: location.folder });
  if (location.kind === 'remote') yield omission(subject, 'filesRemote', { location: location.uri });
}

/** Whether a path, of any machine, ends with these segments. */
export function endsWith(path: string, segments: readonly string[]): boolean {
  const parts = path.split(/[/\\]/).filter((part) => part !== '');
  return segments.every((segment, index) => parts.at(index - segments.length) === segment);
}

function locateServed(location: string, { source, servedFrom }: LocationRules): ArtifactLocation {
  const path = location.slice('mlflow-artifacts:'.length).replace(/^\/\/[^/]*(?=\/)/, '');
  const folder = servedFrom.find((served) => existsSync(join(source, served, path)));
  if (folder === undefined) return { kind: 'missing', folder: location };
  const realSource = realpathSync(source);
  const served = join(realSource, folder);
  // Beside the source, a link in the place of the folder could lead anywhere.
  const isBeside = !isInside(served, realSource) && existsSync(served) && realpathSync(served) === served;
  const found = locateFolder(join(source, folder, path), isBeside ? served : source);
  // By this name a remap finds it.
  return found.kind === 'elsewhere' ? { kind: 'elsewhere', folder: location } : found;
}

function locateFolder(folder: string, root: string): ArtifactLocation {
  if (!existsSync(folder)) return { kind: 'missing', folder };
  return isInside(realpathSync(folder), realpathSync(root))
    ? { kind: 'here', folder, root }
    : { kind: 'elsewhere', folder };
}

/** @param names what a location may be called in a remap. */
function remap(
  names: readonly string[],
  remaps: readonly LocationRemap[],
): { readonly folder: string; readonly root: string } | null {
  for (const { from, to } of remaps) {
    const prefix = from.replace(/[/\\]+$/, '');
    for (const name of names) {
      const rest = name.slice(prefix.length);
      if (!name.startsWith(prefix) || !(rest === '' || /^[/\\]/.test(rest))) continue;
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
