import { basename } from 'node:path';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type {
  PythonConsent,
  PythonEnvironment,
  PythonModelDescription,
} from '../../protocol/pythonModels.ts';
import type { Changes } from '../changes.ts';
import type { ProvenanceService } from '../provenance/service.ts';
import type { RegistryService } from '../registry/service.ts';
import { readMlmodel } from '../tracking/mlmodel.ts';
import type { JobControl, WorkerProcesses } from '../workerProcess.ts';
import { findInterpreter } from './findInterpreter.ts';
import { createFolderDigests } from './folderDigest.ts';
import { needsPython } from './servableModel.ts';

/** What the person allows before any version is known. */
export interface PythonPermission {
  /** Everything in this store may be loaded: asked for on the command line. */
  readonly all: boolean;
  /** The interpreter that the person chose, a path or a name; null leaves it to the engine. */
  readonly python: string | null;
  /** What the editor remembers. */
  readonly consents: readonly PythonConsent[];
}

export const nothingAllowed: PythonPermission = { all: false, python: null, consents: [] };

/** The rules of models that only Python can load. Loading one runs the code that was logged with it. */
export interface PythonModels {
  /**
   * What would load a version; null when it needs no Python or cannot be served. Loads nothing of it.
   *
   * @throws SlipwayError `notFound`, `pythonNotFound` or `pythonPackagesMissing`.
   */
  describe(
    request: { readonly name: string; readonly version: number; readonly python: string | null },
    signal: AbortSignal,
  ): Promise<PythonModelDescription | null>;
  /** Lets the files of a digest be loaded, by this interpreter. */
  allow(consent: PythonConsent): void;
  /**
   * The interpreter that may load a version; null when the version needs no Python. Does not look at what it has: the
   * process that loads the version says what is missing.
   *
   * @throws SlipwayError `pythonConsentNeeded` or `pythonNotFound`; `pythonFilesUnread` when its files are so large that
   * they must be read without haste first.
   */
  allowedInterpreter(name: string, version: number): string | null;
  /** Does what may be refused with `pythonFilesUnread`: reads the files, and tries again. */
  whenRead<Result>(work: () => Result): Promise<Result>;
  /**
   * The interpreter that may load a version, and has what it needs; null when the version needs no Python.
   *
   * @throws SlipwayError `pythonConsentNeeded`, `pythonNotFound` or `pythonPackagesMissing`.
   */
  interpreterOf(name: string, version: number): Promise<string | null>;
}

export interface PythonModelsDependencies {
  readonly registry: Pick<RegistryService, 'modelFolder' | 'version'>;
  readonly provenance: Pick<ProvenanceService, 'ofRun'>;
  readonly workers: WorkerProcesses;
  readonly changes: Pick<Changes, 'log'>;
  readonly permission: PythonPermission;
}

interface Subject {
  readonly name: string;
  readonly version: number;
  readonly folder: string;
}

export function createPythonModels(dependencies: PythonModelsDependencies): PythonModels {
  const { registry, provenance, workers, changes, permission } = dependencies;
  const digests = createFolderDigests();
  const consents = new Map(permission.consents.map(({ digest, python }) => [digest, python]));

  /** The folder of a version, with its flavours; null when it needs no Python. */
  const pythonFolder = (name: string, version: number) => {
    const folder = registry.modelFolder(name, version);
    const mlmodel = readMlmodel(folder);
    if (!mlmodel || !needsPython(mlmodel)) return null;
    return { folder, flavors: Object.keys(mlmodel.flavors).filter((flavor) => flavor !== 'python_function') };
  };
  const interpreterFor = (name: string, version: number, chosen: string | null): string => {
    const { runId } = registry.version(name, version);
    const recorded = runId === null ? null : recordedInterpreter(provenance, runId);
    const found = findInterpreter({ chosen, recorded }, process.env);
    if ('path' in found) return found.path;
    throw new SlipwayError('pythonNotFound', { model: name, version, detail: found.missing });
  };
  const environmentOf = async (
    subject: Subject,
    python: string,
    signal: AbortSignal,
  ): Promise<PythonEnvironment> => {
    const { name, version, folder } = subject;
    const control: JobControl = { signal, progress: () => undefined };
    let environment: PythonEnvironment;
    try {
      environment = await workers.run({ type: 'pythonEnvironment', python, folder }, control);
    } catch (error) {
      if (!(error instanceof SlipwayError) || error.kind === 'cancelled') throw error;
      const silent = detail('interpreterSilent', { python, why: error.values.detail ?? error.message });
      throw new SlipwayError('pythonNotFound', { model: name, version, detail: silent }, { cause: error });
    }
    const { missing } = environment;
    if (missing.length > 0) {
      const command = [quoted(python), '-m pip install', ...missing.map(quoted)].join(' ');
      const packages = missing.join(', ');
      throw new SlipwayError('pythonPackagesMissing', { model: name, version, python, packages, command });
    }
    return environment;
  };

  /** @param digest null when nobody is asked about files. */
  const permitted = ({ name, version, folder }: Subject, digest: string | null): string => {
    const consented = digest === null ? undefined : consents.get(digest);
    if (consented === undefined && !permission.all) {
      throw new SlipwayError('pythonConsentNeeded', { model: name, version, folder });
    }
    return interpreterFor(name, version, consented ?? permission.python);
  };

  /** Whether it matters what is in the files. */
  const asksFiles = () => !permission.all || consents.size > 0;

  return {
    async describe({ name, version, python: chosen }, signal) {
      const found = pythonFolder(name, version);
      if (!found) return null;
      const { folder, flavors } = found;
      const python = interpreterFor(name, version, chosen ?? permission.python);
      const environment = await environmentOf({ name, version, folder }, python, signal);
      const digest = await digests.of(folder);
      // Permission is for the files: it is the person's own choice which interpreter loads them now.
      const allowed = permission.all || consents.has(digest);
      if (consents.has(digest)) consents.set(digest, python);
      return {
        modelName: name,
        modelVersion: version,
        folder,
        digest,
        flavors,
        python,
        environment,
        allowed,
      };
    },
    allow({ digest, python }) {
      consents.set(digest, python);
    },
    allowedInterpreter(name, version) {
      const found = pythonFolder(name, version);
      if (!found) return null;
      const { folder } = found;
      const digest = asksFiles() ? digests.atOnce(folder) : null;
      if (digest === null && asksFiles()) {
        throw new SlipwayError('pythonFilesUnread', { model: name, version, folder });
      }
      return permitted({ name, version, folder }, digest);
    },
    async whenRead(work) {
      for (;;) {
        try {
          return work();
        } catch (error) {
          if (!(error instanceof SlipwayError) || error.kind !== 'pythonFilesUnread') throw error;
          await digests.of(String(error.values.folder));
        }
      }
    },
    async interpreterOf(name, version) {
      const found = pythonFolder(name, version);
      if (!found) return null;
      const { folder } = found;
      const digest = asksFiles() ? await digests.of(folder) : null;
      const python = permitted({ name, version, folder }, digest);
      const environment = await environmentOf(
        { name, version, folder },
        python,
        new AbortController().signal,
      );
      for (const line of differences(environment)) {
        changes.log('warning', `${name}: version ${version} runs in ${basename(python)} with ${line}.`);
      }
      return python;
    },
  };
}

/** What is another version than the model was logged with, in words. */
function differences({ pythonVersion, wantedPython, different }: PythonEnvironment): readonly string[] {
  return [
    ...(wantedPython === null ? [] : [`Python ${pythonVersion}, but was logged with ${wantedPython}`]),
    ...different.map(({ name, wanted, found }) => `${name} ${found}, but asks for ${wanted}`),
  ];
}

function recordedInterpreter(provenance: Pick<ProvenanceService, 'ofRun'>, runId: string): string | null {
  try {
    return provenance.ofRun(runId).program?.pythonExecutable ?? null;
  } catch (error) {
    // The run may be gone, or another store's.
    if (error instanceof SlipwayError && error.category === 'notFound') return null;
    throw error;
  }
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`;
}
