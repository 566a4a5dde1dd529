import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ArtifactOwner, ImportRecord } from '../../protocol/importing.ts';
import { artifactFiles } from './artifactFiles.ts';
import { type ArtifactLocation, endsWith, type LocationRules, locateArtifacts } from './artifactLocation.ts';
import { stateOf } from './mlrunsLayout.ts';
import { omission } from './tracker/omission.ts';

/**
 * Where the artifacts of a run, logged model or trace lie. The database may have been moved since, with its `mlruns` or
 * `mlartifacts` beside it.
 *
 * @param tail the last segments of the location as MLflow makes it.
 */
export function locateOwned(uri: string, tail: readonly string[], rules: LocationRules): ArtifactLocation {
  const location = locateArtifacts(uri, rules);
  if (location.kind !== 'missing') return location;
  if (endsWith(location.folder, tail)) {
    const moved = rules.servedFrom
      .map((folder) => join(rules.source, folder, ...tail))
      .find((folder) => existsSync(folder));
    if (moved !== undefined) return { kind: 'here', folder: moved, root: rules.source };
  }
  return location;
}

/** What artifacts look like; where they cannot be read, only that. */
export function artifactState(location: ArtifactLocation): string {
  return location.kind === 'here' ? stateOf(realpathSync(location.folder)) : location.kind;
}

/** Yields the artifacts at a location, or why they cannot be taken; nothing where there seem to be none. */
export async function* readArtifacts(
  owner: ArtifactOwner,
  location: ArtifactLocation,
  tail: readonly string[],
  subject: string,
): AsyncIterable<ImportRecord> {
  if (location.kind === 'here') yield* artifactFiles(owner, location.folder, location.root, subject);
  else yield* whyNoArtifacts(subject, location, tail);
}

/** What to say of artifacts that cannot be taken; nothing where there seem to be none. */
export function* whyNoArtifacts(
  subject: string,
  location: Exclude<ArtifactLocation, { kind: 'here' }>,
  tail: readonly string[],
): Iterable<ImportRecord> {
  if (location.kind === 'remote') {
    yield omission(subject, 'filesRemote', { location: location.uri });
    return;
  }
  const hasTail = endsWith(location.folder, tail);
  let root = location.folder;
  if (hasTail) for (const _ of tail) root = dirname(root);
  if (location.kind === 'elsewhere') yield omission(subject, 'filesElsewhere', { location: root });
  // Where others keep theirs, this one has logged none.
  else if (!existsSync(hasTail ? root : dirname(dirname(root)))) {
    yield omission(subject, 'filesMissing', { location: location.folder });
  }
}
