import { dirname } from 'node:path';
import type { ArtifactOwner, ImportRecord, LocationRemap } from '../../../protocol/importing.ts';
import { isInside, realpathOf } from '../artifactFiles.ts';
import { locateArtifacts } from '../artifactLocation.ts';
import { artifactPath } from '../tracker/keys.ts';
import { omission } from '../tracker/omission.ts';
import type { LoggedArtifact } from './record.ts';

/**
 * The files of an artifact that the run logged. They lie in a staging folder of the machine that trained, outside of what
 * is imported, so they are taken only when a remap says so. Of a table that is an artifact too, `files/` has the same
 * file.
 */
export async function* loggedArtifacts(
  owner: ArtifactOwner,
  artifact: LoggedArtifact,
  remaps: readonly LocationRemap[],
  subject: string,
): AsyncIterable<ImportRecord> {
  if (artifact.kind === 'run_table') return;
  const at = `${subject}/artifact ${artifact.name}`;
  const elsewhere = new Set<string>();
  for (const { path, reference, localPath } of artifact.files) {
    const remapped = reference === '' && localPath !== '' ? await remappedFile(localPath, remaps) : null;
    if (reference !== '') yield omission(`${at}/${path}`, 'filesRemote', { location: reference });
    else if (localPath === '') yield omission(`${at}/${path}`, 'filesMissing', { location: 'the run' });
    else if (remapped === null) elsewhere.add(dirname(localPath));
    else {
      const target = `artifacts/${artifactPath(artifact.name)}/${artifactPath(path)}`;
      yield { type: 'artifact', owner, path: target, ...remapped };
    }
  }
  for (const location of elsewhere) yield omission(at, 'filesElsewhere', { location });
}

/** Where a file lies that the person said may be read; null when it does not, or is not there. */
async function remappedFile(
  localPath: string,
  remaps: readonly LocationRemap[],
): Promise<{ readonly file: string; readonly root: string } | null> {
  for (const remap of remaps) {
    const location = locateArtifacts(localPath, { source: remap.to, servedFrom: [], remaps: [remap] });
    if (location.kind !== 'here') continue;
    const file = await realpathOf(location.folder);
    const root = await realpathOf(location.root);
    if (file !== null && root !== null && isInside(file, root)) return { file, root };
  }
  return null;
}
