import { realpathSync } from 'node:fs';
import { explainRefusal, SlipwayError } from '../../protocol/errors.ts';
import type {
  ExportReport,
  ImportDetection,
  ImportKind,
  ImportReport,
  LocationRemap,
} from '../../protocol/importing.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import { createWorkerProcesses, type JobControl } from '../workerProcess.ts';
import { type ExportRequest, exportRuns } from './exporting.ts';
import { createImportWriter, type ImportWriter } from './importWriter.ts';
import { createImportSourceStore, type Omission } from './store.ts';

export interface InteropServiceOptions {
  readonly database: Database;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly artifacts: ArtifactStore;
  readonly changes: Changes;
  /** Entry file of the worker process. */
  readonly script: string;
}

export interface ImportSource {
  readonly kind: ImportKind;
  /** Absolute; of a detection. */
  readonly path: string;
}

export interface ImportRequest extends ImportSource {
  readonly remaps: readonly LocationRemap[];
  /** Whether to go on after the first reading, until `stopSync` or `close`. */
  readonly keepInSync: boolean;
}

/** Brings in what other tools tracked, and hands out what was tracked here. */
export interface InteropService {
  /** @throws SlipwayError `importUnreadable` */
  detect(path: string, control: JobControl): Promise<readonly ImportDetection[]>;
  /**
   * Imports a source. What it is aborted in stays, and the next import goes on from there.
   *
   * @throws SlipwayError `importRunning`, `importUnreadable`, `tooManyWatches`, `cancelled`
   */
  import(request: ImportRequest, control: JobControl): Promise<ImportReport>;
  syncs(): readonly ImportSource[];
  /** Ends the sync of a source and waits until it has ended; nothing when there is none. */
  stopSync(source: ImportSource): Promise<void>;
  /** Resolves when no source is in sync any more, be it that they were stopped or that each met an error. */
  syncsEnded(): Promise<void>;
  omissions(source: ImportSource): readonly Omission[];
  /**
   * Writes runs into an `mlruns` folder, as `exportRuns`.
   *
   * @throws SlipwayError `notFound`, `exportFolderTaken`, `exportFailed`, `diskFull`, `storeNotWritable`, `cancelled`
   */
  export(request: ExportRequest, control: JobControl): Promise<ExportReport>;
  /** Ends running imports, and waits until what they were writing is written. */
  close(): Promise<void>;
}

/** A report shows so many of what was not taken. */
const omissionsInReport = 1000;
const allOmissions = 1_000_000_000;

interface RunningImport {
  readonly source: ImportSource;
  readonly stop: AbortController;
  ended: Promise<unknown>;
  inSync: boolean;
}

export function createInteropService(options: InteropServiceOptions): InteropService {
  const { database, tracking, registry, artifacts, changes, script } = options;
  const workers = createWorkerProcesses(script);
  const store = createImportSourceStore(database);
  const running = new Map<string, RunningImport>();

  const logUnforeseen = (error: SlipwayError) => {
    if (error.kind === 'internal') changes.log('error', `${error.message}\n${String(error.cause ?? '')}`);
  };
  const reportOf = (
    { kind, path }: ImportSource,
    source: number,
    writer: ImportWriter,
    unchangedParts: number,
  ): ImportReport => ({
    kind,
    path,
    ...writer.counts,
    unchangedParts,
    omissionCount: store.omissionCount(source),
    omissions: store.omissions(source, omissionsInReport),
  });

  const start = (request: ImportRequest, control: JobControl): Promise<ImportReport> => {
    const { kind, path, remaps, keepInSync } = request;
    const name = nameOf(request);
    if (running.has(name)) throw new SlipwayError('importRunning', { path });
    const source = database.transaction(() => {
      const key = store.source(kind, path, Date.now());
      store.dropOpenPart(key);
      return key;
    });
    const writer = createImportWriter({ database, store, tracking, registry, artifacts, source });
    const stop = new AbortController();
    const entry: RunningImport = { source: { kind, path }, stop, ended: Promise.resolve(), inSync: false };
    running.set(name, entry);
    const abort = () => stop.abort();
    control.signal.addEventListener('abort', abort, { once: true });
    if (control.signal.aborted) abort();

    return new Promise<ImportReport>((resolve, reject) => {
      let report: ImportReport | null = null;
      const job = workers.run(
        { type: 'import', kind, path, known: store.parts(source), remaps: [...remaps], keepInSync },
        {
          signal: stop.signal,
          progress: (fraction, message) => {
            if (!entry.inSync) control.progress(fraction, message);
          },
          take: (records) => writer.write(records),
          caughtUp(unchangedParts) {
            writer.endReading();
            report = reportOf(entry.source, source, writer, unchangedParts);
            if (!keepInSync) return;
            entry.inSync = true;
            // From now on it is stopped by `stopSync` only.
            control.signal.removeEventListener('abort', abort);
            resolve(report);
          },
        },
      );
      entry.ended = job.then(
        () => {
          running.delete(name);
          if (report) resolve(report);
        },
        (error: unknown) => {
          running.delete(name);
          control.signal.removeEventListener('abort', abort);
          if (error instanceof SlipwayError) logUnforeseen(error);
          if (entry.inSync && error instanceof SlipwayError && error.kind !== 'cancelled') {
            changes.log('error', `${path} is no longer kept in sync: ${error.message} ${error.remedy}`);
          }
          reject(error);
        },
      );
    });
  };

  return {
    async detect(path, control) {
      return workers.run({ type: 'detect', path }, control);
    },
    async import(request, control) {
      return start({ ...request, path: realpathOf(request.path) }, control);
    },
    syncs: () => [...running.values()].flatMap(({ source, inSync }) => (inSync ? [source] : [])),
    async stopSync(source) {
      const entry = running.get(nameOf({ ...source, path: realpathOf(source.path) }));
      if (!entry?.inSync) return;
      entry.stop.abort();
      await entry.ended;
    },
    async syncsEnded() {
      for (;;) {
        const inSync = [...running.values()].filter((entry) => entry.inSync);
        if (inSync.length === 0) return;
        await Promise.all(inSync.map(({ ended }) => ended));
      }
    },
    omissions({ kind, path }) {
      const source = store.findSource(kind, realpathOf(path));
      return source === null ? [] : store.omissions(source, allOmissions);
    },
    async export(request, control) {
      try {
        return await exportRuns({ tracking, artifacts }, request, control);
      } catch (error) {
        throw explainExport(error, request.folder);
      }
    },
    async close() {
      for (const { stop } of running.values()) stop.abort();
      await workers.close();
    },
  };
}

/** What the file system does not let an export write is the chosen folder's fault, never the store's. */
function explainExport(thrown: unknown, path: string): unknown {
  const explained = explainRefusal(thrown, path);
  if (explained instanceof SlipwayError || !(explained instanceof Error && 'syscall' in explained))
    return explained;
  return new SlipwayError('exportFailed', { path, detail: explained.message }, { cause: explained });
}

function nameOf({ kind, path }: ImportSource): string {
  return JSON.stringify([kind, path]);
}

/** One source has one name, whichever link leads to it. */
function realpathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
