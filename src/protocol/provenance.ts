import { z } from 'zod';
import { request } from './request.ts';

/** What a run was made of, as far as it is known: the program that logged it, its code, its machine and its data. */
export interface RunProvenance {
  /** Null when the run was not started from a terminal or task of the editor. */
  readonly program: Program | null;
  /** Null when the program lies in no Git repository, or there is no Git. */
  readonly code: CodeState | null;
  readonly machine: Machine | null;
  readonly packageCount: number;
  readonly files: readonly DataFile[];
}

/** The process that logged a run. */
export interface Program {
  readonly kind: 'script' | 'notebook' | 'interactive';
  /** The script as an absolute path, or what the notebook is called; null when there is neither. */
  readonly entryPoint: string | null;
  /** The whole command with its arguments; values that look secret read `***`. */
  readonly command: readonly string[];
  /** The folder in which it was started. */
  readonly folder: string;
  /** Such as "3.11.7". */
  readonly pythonVersion: string;
  /** Such as "CPython". */
  readonly pythonImplementation: string;
  /** The interpreter's path. */
  readonly pythonExecutable: string;
}

/** The state of the Git repository when the run began. */
export interface CodeState {
  /** Absolute path of the work tree. */
  readonly root: string;
  /** Null before the first commit. */
  readonly commit: string | null;
  /** Null when no branch is checked out. */
  readonly branch: string | null;
  /** The address of the remote without user and password; null when there is none. */
  readonly repository: string | null;
  /** Files that differ from the commit, relative to the root. Not all of them when there are very many. */
  readonly changedFiles: readonly string[];
  readonly changedFileCount: number;
  /** Whether the changes themselves were kept. */
  readonly hasChanges: boolean;
}

export interface Machine {
  /** Such as "Linux 6.1.0 x64". */
  readonly operatingSystem: string;
  /** Model of the processor. */
  readonly processor: string;
  readonly coreCount: number;
  /** Bytes. */
  readonly memory: number;
  readonly graphicsProcessors: readonly GraphicsProcessor[];
}

export interface GraphicsProcessor {
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  readonly driver: string;
}

/** A file or folder on this machine that a run's arguments or datasets name, as it was then. */
export interface DataFile {
  /** Absolute. */
  readonly path: string;
  readonly origin: 'argument' | 'dataset';
  /** Bytes; of a folder those of all its files that were found. */
  readonly size: number;
  /** How many files were found in a folder; null of a file. */
  readonly fileCount: number | null;
  /** SHA-256 in hexadecimal; null when it is too large, or could not be read. */
  readonly digest: string | null;
  /** Whether it is too large to be read through; of such a folder not all files were found. */
  readonly isTooLarge: boolean;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
}

/** Changes of a repository's files that were not committed. */
export interface UncommittedChanges {
  /** In the format of `git diff`. */
  readonly text: string;
  /** False: there was more than is kept. */
  readonly complete: boolean;
}

const runId = z.string().min(1).max(256);

/** What the extension host asks the engine about what runs were made of. */
export const provenanceRequests = {
  'provenance/run': request<RunProvenance>()(z.object({ runId })),
  /** Packages that the program's interpreter had, by name. */
  'provenance/packages': request<readonly InstalledPackage[]>()(z.object({ runId })),
  /** Null when there were none, or none were kept. */
  'provenance/changes': request<UncommittedChanges | null>()(z.object({ runId })),
} as const;

/** Header by which each request of a program names it. */
export const programHeader = 'x-slipway-program';

export const programId = z.string().regex(/^[0-9a-f]{32}$/);

const path = z.string().min(1).max(8192);

/** What a Python program tells of itself, once; see `src/python/slipway_provenance`. */
export const programReport = z.object({
  program: programId,
  kind: z.enum(['script', 'notebook', 'interactive']),
  entry_point: path.nullable(),
  command: z.array(z.string().max(8192)).max(1000),
  folder: path,
  python_version: z.string().max(256),
  python_implementation: z.string().max(256),
  python_executable: z.string().max(8192),
  /** `sys.path`. */
  search_path: z.array(z.string().max(8192)).max(1000),
  /** `sys.prefix`: scripts below it are installed tools. */
  prefix: z.string().max(8192),
});
export type ProgramReport = z.infer<typeof programReport>;
