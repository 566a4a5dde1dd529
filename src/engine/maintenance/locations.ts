import { SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { MaintenanceStore } from './store.ts';
import type { StoredLocation } from './types.ts';

/** The path in the artifact store that a URI names; null when its files lie elsewhere. */
export function pathOfUri(artifacts: Pick<ArtifactStore, 'pathOf'>, uri: string): string | null {
  return unlessRefused(() => artifacts.pathOf(uri, ''));
}

/** Where the files of a URI lie on this machine; null when they lie elsewhere, or a link leads out of the store. */
export function folderOfUri(artifacts: Pick<ArtifactStore, 'resolve'>, uri: string): string | null {
  return unlessRefused(() => artifacts.resolve(uri));
}

/** Folders, to be asked which of them others share. */
export interface FolderIndex<Owner> {
  /** Owners of the folders that are `path`, or hold it. */
  holding(path: string): readonly Owner[];
  /** Owners of the folders that lie below `path`. */
  below(path: string): readonly Owner[];
}

/** An index over folders by their paths, which have forward slashes. */
export function createFolderIndex<Owner>(
  folders: readonly (readonly [path: string, owner: Owner])[],
): FolderIndex<Owner> {
  const at = Map.groupBy(folders, ([path]) => path);
  const above = new Map<string, Owner[]>();
  for (const [path, owner] of folders) {
    for (const ancestor of ancestorsOf(path)) {
      const owners = above.get(ancestor);
      if (owners) owners.push(owner);
      else above.set(ancestor, [owner]);
    }
  }
  return {
    holding: (path) =>
      [path, ...ancestorsOf(path)].flatMap((one) => at.get(one) ?? []).map(([, owner]) => owner),
    below: (path) => above.get(path) ?? [],
  };
}

/** The paths above a path, the nearest first, without the root. */
export function ancestorsOf(path: string): readonly string[] {
  const segments = path.split('/');
  return segments.slice(1).map((_, index) => segments.slice(0, segments.length - 1 - index).join('/'));
}

function unlessRefused<Result>(work: () => Result): Result | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof SlipwayError) return null;
    throw error;
  }
}

/** As `pathOfUri` gives it, but not checked, which takes long for very many. Only good to compare. */
function comparablePath(uri: string): string | null {
  const scheme = 'mlflow-artifacts:/';
  if (!uri.startsWith(scheme)) return null;
  return uri
    .slice(scheme.length)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.')
    .join('/');
}

/**
 * Of the given folders those in which something that the store knows keeps files, apart from what `leaves` names. An
 * experiment's own folder holds those of its runs, so it counts only where it lies in one of the given ones.
 */
export function sharedFolders(
  store: MaintenanceStore,
  folders: readonly string[],
  leaves: (location: StoredLocation) => boolean,
): ReadonlySet<string> {
  const index = createFolderIndex(folders.map((path) => [path, path]));
  const shared = new Set<string>();
  for (const location of store.locations()) {
    if (leaves(location)) continue;
    const path = comparablePath(location.uri);
    if (path === null) continue;
    for (const folder of index.holding(path)) shared.add(folder);
    if (location.owner !== 'experiment') for (const folder of index.below(path)) shared.add(folder);
  }
  return shared;
}
