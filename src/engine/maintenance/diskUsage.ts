import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import type { DiskUsage, ExperimentUsage, PathUsage } from '../../protocol/maintenance.ts';
import { uploadFolder } from '../tracking/artifactPath.ts';
import { entriesOf, type FolderSize, folderSize } from './folderSize.ts';
import { ancestorsOf, pathOfUri } from './locations.ts';
import type { MaintenanceParts } from './parts.ts';
import type { ExperimentFigures } from './store.ts';

/** So many runs are asked for their points in one go, which takes milliseconds. */
const runsAtOnce = 2_000;

/** Folders that hold those of logged models and traces, not files of their own. */
const gatheringFolders: ReadonlySet<string> = new Set(['models', 'traces']);

/**
 * Finds where the disk space of the store goes. Files are looked at one after the other, and rows in portions, so that
 * the engine goes on answering; requests that come while one is under way share its answer.
 */
export function createDiskUsage(parts: MaintenanceParts): () => Promise<DiskUsage> {
  let underWay: Promise<DiskUsage> | null = null;
  return () => {
    underWay ??= measure(parts).finally(() => {
      underWay = null;
    });
    return underWay;
  };
}

async function measure({ store, artifacts, layout }: MaintenanceParts): Promise<DiskUsage> {
  const figures = store.experimentFigures();
  const [points, files, inferenceLogs, replaced, storeBytes, logBytes] = await Promise.all([
    countPoints(store),
    measureArtifacts({ store, artifacts, layout }, figures),
    measureInferenceLogs(layout.inference),
    folderSize(layout.replaced),
    fileSize(layout.database),
    fileSize(`${layout.database}-wal`),
  ]);
  const { freePages, pageBytes } = store.pages();
  const experiments = figures
    .map(({ key, name, deleted, runCount, deletedRunCount }): ExperimentUsage => {
      const size = files.ofExperiment.get(key);
      return {
        experimentId: String(key),
        name,
        deleted: deleted === 1,
        runCount,
        deletedRunCount,
        metricPoints: points.get(key) ?? 0,
        artifactFiles: size?.files ?? 0,
        artifactBytes: size?.bytes ?? 0,
      };
    })
    .sort((one, other) => other.artifactBytes - one.artifactBytes || other.metricPoints - one.metricPoints);
  const parted = [...experiments.map(({ artifactBytes }) => artifactBytes), ...bytesOf(files.orphans)];
  return {
    storeFile: layout.database,
    storeBytes,
    logBytes,
    freeBytes: freePages * pageBytes,
    experiments,
    inferenceLogs,
    orphans: files.orphans,
    replacedBytes: replaced.bytes,
    totalBytes: sum([
      ...parted,
      ...bytesOf(inferenceLogs),
      storeBytes,
      logBytes,
      replaced.bytes,
      files.elsewhereBytes,
    ]),
  };
}

async function countPoints(store: MaintenanceParts['store']): Promise<ReadonlyMap<number, number>> {
  const counted = new Map<number, number>();
  const last = store.lastRunKey();
  for (let from = 0; from <= last; from += runsAtOnce) {
    for (const { experiment, points } of store.pointsBetween(from, from + runsAtOnce - 1)) {
      counted.set(experiment, (counted.get(experiment) ?? 0) + points);
    }
    await turn();
  }
  return counted;
}

interface ArtifactUsage {
  readonly ofExperiment: ReadonlyMap<number, FolderSize>;
  /** Of registered versions whose files lie in no experiment. */
  readonly elsewhereBytes: number;
  readonly orphans: readonly PathUsage[];
}

/** Walks down from the root as far as folders only hold folders of runs and models, and measures each of those. */
async function measureArtifacts(
  { store, artifacts, layout }: Pick<MaintenanceParts, 'store' | 'artifacts' | 'layout'>,
  figures: readonly ExperimentFigures[],
): Promise<ArtifactUsage> {
  const experimentAt = new Map(
    figures.flatMap(({ key, location }) => {
      const path = pathOfUri(artifacts, location);
      return path === null ? [] : [[path, key] as const];
    }),
  );
  const owned = new Map<string, number | null>();
  const above = new Set<string>(experimentAt.keys());
  const add = (uri: string, experiment: number | null) => {
    const path = pathOfUri(artifacts, uri);
    if (path === null) return;
    // A version shares the folder of its logged model or run, which comes first and knows its experiment.
    if (!owned.has(path)) owned.set(path, experiment);
    for (const ancestor of ancestorsOf(path)) above.add(ancestor);
  };
  for (const { owner, uri, experiment } of store.locations())
    if (owner !== 'experiment') add(uri, experiment);
  for (const path of experimentAt.keys()) for (const ancestor of ancestorsOf(path)) above.add(ancestor);

  const ofExperiment = new Map<number, FolderSize>();
  const orphans: PathUsage[] = [];
  let elsewhereBytes = 0;
  const give = (experiment: number, { files, bytes }: FolderSize) => {
    const known = ofExperiment.get(experiment) ?? { files: 0, bytes: 0 };
    ofExperiment.set(experiment, { files: known.files + files, bytes: known.bytes + bytes });
  };
  const visit = async (path: string, around: number | null): Promise<void> => {
    const experiment = experimentAt.get(path) ?? around;
    for (const entry of await entriesOf(join(layout.artifacts, path))) {
      const inside = path === '' ? entry.name : `${path}/${entry.name}`;
      const full = join(layout.artifacts, inside);
      const owner = owned.get(inside);
      if (inside === uploadFolder) continue;
      if (owner !== undefined) {
        const itsExperiment = owner ?? experiment;
        const size = await folderSize(full);
        if (itsExperiment === null) elsewhereBytes += size.bytes;
        else give(itsExperiment, size);
      } else if (entry.isDirectory() && (above.has(inside) || gatheringFolders.has(entry.name))) {
        await visit(inside, experiment);
      } else {
        const { files, bytes } = await folderSize(full);
        if (files > 0) orphans.push({ name: inside, bytes });
      }
    }
  };
  await visit('', null);
  return { ofExperiment, elsewhereBytes, orphans: orphans.sort((one, other) => other.bytes - one.bytes) };
}

/** An endpoint's log with what belongs to it. */
async function measureInferenceLogs(folder: string): Promise<readonly PathUsage[]> {
  const bytes = new Map<string, number>();
  for (const { name } of await entriesOf(folder)) {
    const [, encoded] = /^(.*?)\.db(?:-wal|-shm)?$/.exec(name) ?? [];
    const endpoint = encoded === undefined ? name : nameOf(encoded);
    bytes.set(endpoint, (bytes.get(endpoint) ?? 0) + (await folderSize(join(folder, name))).bytes);
  }
  return [...bytes]
    .map(([name, size]) => ({ name, bytes: size }))
    .sort((one, other) => other.bytes - one.bytes);
}

function nameOf(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

async function fileSize(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}

function bytesOf(usages: readonly PathUsage[]): readonly number[] {
  return usages.map(({ bytes }) => bytes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
