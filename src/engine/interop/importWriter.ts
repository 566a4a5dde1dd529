import type { ImportRecord, ImportReport } from '../../protocol/importing.ts';
import type { Database } from '../database/connection.ts';
import type { SubjectImport } from '../importedSubject.ts';
import type { ImportMarks } from '../importMarks.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import { copyArtifact, writeArtifactContent } from './artifactCopy.ts';
import type { ImportSourceStore, Omission } from './store.ts';

export interface ImportWriterOptions {
  readonly database: Pick<Database, 'transaction' | 'durableTransaction'>;
  readonly store: ImportSourceStore;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  readonly artifacts: ArtifactStore;
  /** The source's key. */
  readonly source: number;
}

/** How much of each an import has written. */
export type ImportCounts = Pick<
  ImportReport,
  | 'experiments'
  | 'runs'
  | 'points'
  | 'artifacts'
  | 'loggedModels'
  | 'traces'
  | 'registeredModels'
  | 'modelVersions'
>;

/** Writes the records of one source, in their order. */
export interface ImportWriter {
  /** Once it resolves, the records survive the death of the process, those of the registry power loss too. */
  write(records: readonly ImportRecord[]): Promise<void>;
  /** To be called when a reading came to its end. */
  endReading(): void;
  readonly counts: ImportCounts;
}

/** What becomes rows of the store. */
type RowRecord = Exclude<ImportRecord, { type: 'artifact' | 'artifactContent' }>;

/** The part to which belongs what is met after the last part of a reading. */
const restOfSource = '*';
const ownerNouns = { run: 'run', loggedModel: 'logged model', trace: 'trace' } as const;

export function createImportWriter(options: ImportWriterOptions): ImportWriter {
  const { database, store, tracking, registry, artifacts, source } = options;
  const counts = {
    experiments: 0,
    runs: 0,
    points: 0,
    artifacts: 0,
    loggedModels: 0,
    traces: 0,
    registeredModels: 0,
    modelVersions: 0,
  };
  let failedPart = false;

  const omit = (omissions: readonly Omission[]) => {
    for (const omission of omissions) store.addOmission(source, omission);
  };
  /** Hands a thing in with the marks of its last import, and keeps the new ones. */
  const merge = <Result extends SubjectImport>(
    subject: string,
    work: (before: ImportMarks) => Result,
  ): Result => {
    const result = work(store.marks(source, subject));
    store.setMarks(source, subject, result.marks);
    omit(result.omissions);
    return result;
  };
  const isImported = (name: string, version: number) =>
    Object.hasOwn(store.marks(source, versionSubject(name, version)), 'stage');
  const counted = ({ outcome }: SubjectImport) => (outcome === 'same' ? 0 : 1);
  /** Hands in what belongs to an experiment of the source; gives how many are new or changed. */
  const mergeIntoExperiment = (
    type: keyof typeof ownerNouns,
    id: string,
    sourceExperimentId: string,
    work: (experimentId: string, before: ImportMarks) => SubjectImport,
  ): number => {
    const experimentId = store.experiment(source, sourceExperimentId);
    failedPart = experimentId === null;
    if (experimentId !== null) return counted(merge(`${type}/${id}`, (before) => work(experimentId, before)));
    omit([{ subject: `${ownerNouns[type]} ${id}`, reason: 'missingExperiment', values: {} }]);
    return 0;
  };

  const writeRow = (record: RowRecord): void => {
    switch (record.type) {
      case 'experiment': {
        const mapped = store.experiment(source, record.experimentId);
        const result = merge(`experiment/${record.experimentId}`, (before) =>
          tracking.importExperiment(record, mapped, before),
        );
        if (result.experimentId !== null)
          store.setExperiment(source, record.experimentId, result.experimentId);
        counts.experiments += counted(result);
        return;
      }
      case 'run':
        counts.runs += mergeIntoExperiment('run', record.runId, record.experimentId, (into, before) =>
          tracking.importRun(record, into, before),
        );
        return;
      case 'points': {
        if (failedPart) return;
        const { added, omissions } = tracking.importPoints(record);
        counts.points += added;
        omit(omissions);
        return;
      }
      case 'loggedModel':
        counts.loggedModels += mergeIntoExperiment(
          'loggedModel',
          record.modelId,
          record.experimentId,
          (into, before) => tracking.importLoggedModel(record, into, before),
        );
        return;
      case 'modelMetrics':
        omit(tracking.importModelMetrics(record));
        return;
      case 'trace':
        counts.traces += mergeIntoExperiment('trace', record.traceId, record.experimentId, (into, before) =>
          tracking.importTrace(record, into, before),
        );
        return;
      case 'registeredModel': {
        const result = merge(`registeredModel/${record.name}`, (before) =>
          registry.importRegisteredModel(record, before),
        );
        counts.registeredModels += counted(result);
        return;
      }
      case 'modelVersion': {
        const uri = record.files === null ? null : tracking.importedArtifactsUri(record.files.owner);
        const path = record.files?.path ?? '';
        const filesUri = uri === null || path === '' ? uri : `${uri}/${path}`;
        const result = merge(versionSubject(record.name, record.version), (before) =>
          registry.importModelVersion(record, filesUri, before),
        );
        counts.modelVersions += counted(result);
        return;
      }
      case 'modelAliases':
        merge(`modelAliases/${record.name}`, (before) =>
          registry.importModelAliases(record, (version) => isImported(record.name, version), before),
        );
        return;
      case 'part':
        // Of what could not be taken there is no knowing how it looked: it is read again the next time.
        if (!failedPart) store.setPart(source, record.key, record.state, record.runId);
        store.closePart(source, record.key);
        failedPart = false;
        return;
      case 'omission':
        omit([record]);
        return;
      case 'progress':
        return;
    }
  };

  const writeRows = (rows: readonly RowRecord[]): void => {
    if (rows.length === 0) return;
    const isRegistry = rows.some(({ type }) => type === 'registeredModel' || type === 'modelVersion');
    const transaction = isRegistry ? database.durableTransaction : database.transaction;
    transaction(() => {
      for (const row of rows) writeRow(row);
    });
  };

  return {
    async write(records) {
      let rows: RowRecord[] = [];
      for (const record of records) {
        if (record.type !== 'artifact' && record.type !== 'artifactContent') {
          rows.push(record);
          continue;
        }
        writeRows(rows);
        rows = [];
        const uri = failedPart ? null : tracking.importedArtifactsUri(record.owner);
        if (uri === null) continue;
        const copy =
          record.type === 'artifact'
            ? await copyArtifact(artifacts, uri, record)
            : await writeArtifactContent(artifacts, uri, record);
        if (copy.outcome === 'copied') counts.artifacts += 1;
        if (copy.outcome !== 'omitted') {
          // Also when it was there already: the import may have been ended before its spans were taken in.
          if (record.owner.type === 'trace')
            await tracking.artifactWritten(artifacts.pathOf(uri, record.path));
          continue;
        }
        const subject = `${ownerNouns[record.owner.type]} ${record.owner.id}/artifacts/${record.path}`;
        rows.push({ type: 'omission', subject, reason: copy.reason, values: copy.values });
      }
      writeRows(rows);
    },
    endReading() {
      database.transaction(() => store.closePart(source, restOfSource));
      failedPart = false;
    },
    get counts() {
      return { ...counts };
    },
  };
}

function versionSubject(name: string, version: number): string {
  return `modelVersion/${name}/${version}`;
}
