import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactOwner, ImportRecord } from '../../protocol/importing.ts';
import { artifactFiles } from './artifactFiles.ts';
import {
  type ArtifactLocation,
  endsWith,
  type LocationRules,
  locateArtifacts,
  omittedArtifacts,
} from './artifactLocation.ts';

/**
 * Where the artifacts of a run, logged model or trace lie. A file store may have been moved or copied since, with what its
 * files say left behind; then the owner's own folder is meant.
 *
 * @param folder the owner's.
 * @param tail the last segments of the location as MLflow makes it.
 * @param uri the location that the owner's files name; null when they name none.
 */
export function locateOwned(
  folder: string,
  tail: readonly string[],
  uri: string | null,
  rules: LocationRules,
): ArtifactLocation {
  const own = { kind: 'here', folder: ownArtifacts(folder), root: folder } as const;
  if (uri === null) return own;
  const location = locateArtifacts(uri, rules);
  switch (location.kind) {
    case 'remote':
      return location;
    case 'here':
      return isSame(location.folder, own.folder) ? own : location;
    case 'missing': {
      // Where the experiment's other artifacts are there, this owner has logged none.
      const isEmpty = existsSync(dirname(dirname(location.folder)));
      return isEmpty || endsWith(location.folder, tail) ? own : location;
    }
    case 'elsewhere': {
      const isCopied =
        endsWith(location.folder, tail) && existsSync(own.folder) && !isEmptyFolder(own.folder);
      return isCopied || isEmptyFolder(location.folder) ? own : location;
    }
  }
}

/** Yields the artifacts in the owner's own folder, and those that lie at a location. */
export async function* readArtifacts(
  owner: ArtifactOwner,
  folder: string,
  location: ArtifactLocation,
  subject: string,
): AsyncIterable<ImportRecord> {
  const own = ownArtifacts(folder);
  yield* artifactFiles(owner, own, folder, `${subject}/artifacts`);
  if (location.kind !== 'here') yield* omittedArtifacts(`${subject}/artifacts`, location);
  else if (location.folder !== own) {
    yield* artifactFiles(owner, location.folder, location.root, `${subject}/artifacts`);
  }
}

/** The folder with the artifacts of an owner, as MLflow makes it. */
export function ownArtifacts(folder: string): string {
  return join(folder, 'artifacts');
}

function isSame(one: string, other: string): boolean {
  return existsSync(one) && existsSync(other) && realpathSync(one) === realpathSync(other);
}

/** Whether nothing lies in a folder; one that may not be listed may hold something. */
function isEmptyFolder(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0;
  } catch (error) {
    if (error instanceof Error && 'code' in error) return false;
    throw error;
  }
}
