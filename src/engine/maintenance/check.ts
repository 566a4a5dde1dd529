import { stat } from 'node:fs/promises';
import type { ErrorData } from '../../protocol/errors.ts';
import type { CheckReport } from '../../protocol/maintenance.ts';
import type { InspectFile } from './backup.ts';
import { folderOfUri, pathOfUri } from './locations.ts';
import { type JobControl, type MaintenanceParts, stopWhenCancelled } from './parts.ts';

/** More are counted, not listed. */
const mostListed = 200;

/** Reads the whole store and looks for the files of models and versions. Changes nothing. */
export async function checkWholeStore(
  parts: MaintenanceParts,
  inspect: InspectFile,
  { signal, progress }: JobControl,
): Promise<CheckReport> {
  const started = Date.now();
  const inside = await inspect(parts.layout.database, {
    signal,
    progress: (fraction) => progress(0.8 * fraction, ''),
  });
  const damaged = inside.some(({ kind }) => kind === 'storeDamaged');
  const findings = damaged ? inside : [...inside, ...(await missingFiles(parts, signal))];
  progress(1, '');
  return {
    findings: findings.slice(0, mostListed),
    findingCount: findings.length,
    content: damaged ? { experiments: 0, runs: 0, modelVersions: 0, schema: 0 } : parts.store.content(),
    milliseconds: Date.now() - started,
  };
}

/** Files that lie elsewhere, such as in a bucket, are not looked for. */
async function missingFiles(
  { store, artifacts }: MaintenanceParts,
  signal: AbortSignal,
): Promise<readonly ErrorData[]> {
  const isMissing = async (uri: string): Promise<boolean> => {
    stopWhenCancelled(signal);
    if (pathOfUri(artifacts, uri) === null) return false;
    const folder = folderOfUri(artifacts, uri);
    return folder === null || (await stat(folder).catch(() => null)) === null;
  };
  const findings: ErrorData[] = [];
  for (const { name, uri } of store.readyModels()) {
    if (await isMissing(uri)) {
      findings.push({ kind: 'modelFilesMissing', values: { loggedModel: name, location: uri } });
    }
  }
  for (const { model, version, location } of store.versions()) {
    if (await isMissing(location)) {
      findings.push({ kind: 'versionFilesMissing', values: { model, version, location } });
    }
  }
  return findings;
}
