import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChanges } from '../../src/engine/changes.ts';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { createInteropService, type InteropService } from '../../src/engine/interop/service.ts';
import { createRegistryService, type RegistryService } from '../../src/engine/registry/service.ts';
import { type ArtifactStore, createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from '../../src/engine/tracking/service.ts';
import type { ImportKind, ImportReport, LocationRemap } from '../../src/protocol/importing.ts';

/** A store that imports and exports, without doors. The worker is the real one, in a process of its own. */
export interface ImportEngine {
  /** A folder of its own, removed when it is closed. */
  readonly folder: string;
  /** Where its artifacts lie. */
  readonly artifactFolder: string;
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly interop: InteropService;
  /** Lines that were logged. */
  readonly log: readonly string[];
  /** Imports what is found at a path; fails when there is nothing, or more than one kind. */
  importAll(path: string, remaps?: readonly LocationRemap[]): Promise<ImportReport>;
  close(): Promise<void>;
}

/** How a request is watched that nobody watches. */
export const unwatched = { signal: new AbortController().signal, progress: () => undefined };

export const workerScript = join(import.meta.dirname, '../../src/worker/main.ts');

/** @param folder where the store is; one that is new, and removed in the end, unless said. */
export function openImportEngine(folder?: string): ImportEngine {
  const home = folder ?? realpathSync(mkdtempSync(join(tmpdir(), 'slipway-import-')));
  mkdirSync(home, { recursive: true });
  const database = openDatabase(join(home, 'store.db'));
  const artifactFolder = join(home, 'artifacts');
  const artifacts = createArtifactStore(artifactFolder);
  const changes = createChanges();
  const log: string[] = [];
  changes.listen((event, data) => {
    if (event === 'log' && 'message' in data) log.push(data.message);
  });
  const tracking = createTrackingService({ database, artifacts, changes });
  const registry = createRegistryService({ database, tracking, artifacts, changes });
  const interop = createInteropService({
    database,
    tracking,
    registry,
    artifacts,
    changes,
    script: workerScript,
  });
  return {
    folder: home,
    artifactFolder,
    database,
    artifacts,
    tracking,
    registry,
    interop,
    log,
    async importAll(path, remaps = []) {
      const found = await interop.detect(path, unwatched);
      const [only] = found;
      if (only === undefined || found.length > 1)
        throw new Error(`found ${JSON.stringify(found)} in ${path}`);
      return interop.import({ kind: only.kind, path: only.path, remaps, keepInSync: false }, unwatched);
    },
    async close() {
      await interop.close();
      database.close();
      if (folder === undefined) rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Imports with a kind that is known, without a detection. */
export function importAs(engine: ImportEngine, kind: ImportKind, path: string): Promise<ImportReport> {
  return engine.interop.import({ kind, path, remaps: [], keepInSync: false }, unwatched);
}
