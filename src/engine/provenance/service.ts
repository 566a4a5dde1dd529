import { createHash } from 'node:crypto';
import { dirname, relative, sep } from 'node:path';
import { toSlipwayError } from '../../protocol/errors.ts';
import type {
  CodeState,
  DataFile,
  InstalledPackage,
  Machine,
  Program,
  ProgramReport,
  RunProvenance,
  UncommittedChanges,
} from '../../protocol/provenance.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import { parseJsonOrNull } from '../tracking/jsonText.ts';
import type { TrackingService } from '../tracking/service.ts';
import { type ObservedCode, observeCode } from './codeState.ts';
import { createDataDigests } from './dataDigests.ts';
import { pathOfSource, pathsInCommand } from './dataPaths.ts';
import { gitTags } from './gitTags.ts';
import { describeMachine } from './machine.ts';
import { installedPackages } from './packages.ts';
import { createQueue } from './queue.ts';
import { createProvenanceStore } from './store.ts';

export interface ProvenanceServiceOptions {
  readonly database: Database;
  readonly tracking: Pick<TrackingService, 'run' | 'wholeRun' | 'setTag' | 'runDatasets'>;
  readonly changes: Changes;
}

/**
 * What runs were made of. A program tells of itself once and names itself with each request; from then on the engine
 * looks at the code, the packages, the machine and the data by itself, after it has answered, so that training never
 * waits for it.
 */
export interface ProvenanceService {
  /** A program told of itself. Telling it again changes nothing. */
  programReported(report: ProgramReport): void;
  /** A program that may not have told of itself yet created a run. */
  runCreated(runId: string, programId: string): void;
  /** Datasets were logged to a run; files and folders that they name are looked at. */
  inputsLogged(runId: string): void;
  /** @throws SlipwayError `notFound` when there is no such run. */
  ofRun(runId: string): RunProvenance;
  packages(runId: string): readonly InstalledPackage[];
  /** Null when there were none, or none were kept. */
  changes(runId: string): UncommittedChanges | null;
  /** Forgets programs that told of themselves long ago and logged nothing. */
  forgetIdlePrograms(): void;
  /** Resolves once all that was asked for until now is recorded. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** Code is not looked at again for the next run that the same program begins within this time. */
const freshMilliseconds = 5_000;
/** Programs without runs are forgotten after this time. */
const idleMilliseconds = 7 * 24 * 3_600_000;
const mostFiles = 50;

export function createProvenanceService(options: ProvenanceServiceOptions): ProvenanceService {
  const { database, tracking, changes } = options;
  const store = createProvenanceStore(database, (text) => createHash('sha256').update(text).digest('hex'));
  const digests = createDataDigests();
  const failed = (error: unknown) =>
    changes.log('warning', `What a run was made of was not recorded: ${toSlipwayError(error).message}`);
  const observations = createQueue(failed);
  // Large files take a while, and the next run's code must not wait for them.
  const readings = createQueue(failed);
  /** Runs of programs that have not told of themselves yet. */
  const waiting = new Map<string, string[]>();
  const observed = new Map<string, { readonly at: number; readonly code: ObservedCode | null }>();
  let machine: Promise<Machine> | null = null;

  const reportOf = (programId: string): ProgramReport | null => parsed(store.report(programId));

  const codeOf = async (report: ProgramReport, signal: AbortSignal): Promise<ObservedCode | null> => {
    const known = observed.get(report.program);
    if (known) return known.code;
    const at = Date.now();
    let code: ObservedCode | null = null;
    for (const folder of codeFolders(report)) code ??= await observeCode(folder, signal);
    observed.set(report.program, { at, code });
    return code;
  };
  const forgetStale = () => {
    for (const [program, { at }] of observed) {
      if (Date.now() - at > freshMilliseconds) observed.delete(program);
    }
  };

  const observeRun = (runId: string, report: ProgramReport) => {
    observations.add(async (signal) => {
      forgetStale();
      const code = await codeOf(report, signal);
      if (signal.aborted) return;
      if (code !== null) {
        const { state, changes: uncommitted } = code;
        store.setCode(runId, JSON.stringify(state), uncommitted && JSON.stringify(uncommitted));
        completeTags(runId, state);
      }
      // Also without code: the program's packages and its machine are known by now.
      changes.provenance(runId);
    });
    readFiles(runId, pathsInCommand(report.command, report.folder), 'argument', report);
  };

  /** Tags by which runs can be searched, as MLflow names them; what the client wrote stays. */
  const completeTags = (runId: string, state: CodeState) => {
    const { info, tags } = tracking.wholeRun(runId);
    if (info.lifecycleStage !== 'active') return;
    const there = new Set(tags.map(({ key }) => key));
    for (const { key, value } of gitTags(state)) if (!there.has(key)) tracking.setTag(runId, key, value);
  };

  const readFiles = (
    runId: string,
    paths: readonly string[],
    origin: DataFile['origin'],
    report: ProgramReport,
  ) => {
    const asked = performance.now();
    readings.add(async (signal) => {
      let found = 0;
      for (const path of new Set(paths)) {
        if (found >= mostFiles || signal.aborted) break;
        if (holdsProgram(path, report)) continue;
        const file = await digests.digestOf(path, asked, signal);
        if (file === null || signal.aborted) continue;
        found += 1;
        store.addFile(runId, { path, origin, ...file });
      }
      if (found > 0) changes.provenance(runId);
    });
  };

  return {
    programReported(report) {
      if (store.report(report.program) !== null) return;
      const { program, search_path: searchPath } = report;
      store.setReport(program, JSON.stringify({ ...report, search_path: [] }));
      observations.add(async (signal) => {
        machine ??= describeMachine(signal);
        const packages = await installedPackages(searchPath);
        store.setSurroundings(program, JSON.stringify(packages), JSON.stringify(await machine));
      });
      for (const runId of waiting.get(program) ?? []) observeRun(runId, report);
      waiting.delete(program);
    },
    runCreated(runId, programId) {
      store.linkRun(runId, programId);
      const report = reportOf(programId);
      if (report) observeRun(runId, report);
      else waiting.set(programId, [...(waiting.get(programId) ?? []), runId]);
    },
    inputsLogged(runId) {
      const programId = store.programOfRun(runId);
      const report = programId === null ? null : reportOf(programId);
      if (report === null) return;
      const paths = tracking
        .runDatasets(runId)
        .map(({ source }) => pathOfSource(parseJsonOrNull(source), report.folder))
        .filter((path) => path !== null);
      if (paths.length > 0) readFiles(runId, paths, 'dataset', report);
    },
    ofRun(runId) {
      tracking.run(runId);
      const row = store.run(runId);
      const report = parsed<ProgramReport>(row?.report ?? null);
      return {
        program: report && toProgram(report),
        code: parsed<CodeState>(row?.code ?? null),
        machine: parsed<Machine>(row?.machine ?? null),
        packageCount: parsed<readonly InstalledPackage[]>(row?.packages ?? null)?.length ?? 0,
        files: store.files(runId),
      };
    },
    packages: (runId) => parsed<readonly InstalledPackage[]>(store.run(runId)?.packages ?? null) ?? [],
    changes: (runId) => parsed<UncommittedChanges>(store.run(runId)?.changes ?? null),
    forgetIdlePrograms: () => store.forgetIdlePrograms(Date.now() - idleMilliseconds),
    async settled() {
      await observations.settled();
      await readings.settled();
    },
    async close() {
      await Promise.all([observations.close(), readings.close()]);
    },
  };
}

/** Where a program's code lies: beside its script, unless that is an installed tool, else where it was started. */
function codeFolders({ kind, entry_point: script, prefix, folder }: ProgramReport): readonly string[] {
  if (kind !== 'script' || script === null || isBelow(script, prefix)) return [folder];
  return [dirname(script), folder];
}

/** Whether a path is the program's script, or a folder in which that lies or the program was started: no data. */
function holdsProgram(path: string, { entry_point: script, folder }: ProgramReport): boolean {
  return [script, folder].some((place) => place !== null && (place === path || isBelow(place, path)));
}

function isBelow(file: string, folder: string): boolean {
  const path = relative(folder, file);
  return path !== '' && path.split(sep)[0] !== '..' && !/^[a-z]:/i.test(path);
}

function toProgram(report: ProgramReport): Program {
  return {
    kind: report.kind,
    entryPoint: report.entry_point,
    command: report.command,
    folder: report.folder,
    pythonVersion: report.python_version,
    pythonImplementation: report.python_implementation,
    pythonExecutable: report.python_executable,
  };
}

/** A text that this service wrote. */
function parsed<Value>(text: string | null): Value | null {
  if (text === null) return null;
  const value: Value = JSON.parse(text);
  return value;
}
