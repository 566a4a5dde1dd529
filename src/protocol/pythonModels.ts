import { z } from 'zod';
import { request } from './request.ts';

/** A package that a model was logged with, and what the interpreter has of it. */
export interface DifferentPackage {
  readonly name: string;
  /** As the model's requirements say it, such as `==1.9.1`. */
  readonly wanted: string;
  readonly found: string;
}

/** How an interpreter fits to what a model was logged with. */
export interface PythonEnvironment {
  /** Such as `3.11.7`. */
  readonly pythonVersion: string;
  /** The Python that the model was logged with when its first two numbers differ; else null. */
  readonly wantedPython: string | null;
  /** Requirements, as pip takes them, of what is not installed. */
  readonly missing: readonly string[];
  readonly different: readonly DifferentPackage[];
}

/** A version that only Python can load, and what would load it. */
export interface PythonModelDescription {
  readonly modelName: string;
  readonly modelVersion: number;
  /** Absolute path of the folder whose code would run. */
  readonly folder: string;
  /** SHA-256 of its files in hexadecimal digits: a permission is for these files and no others. */
  readonly digest: string;
  /** Without `python_function`. */
  readonly flavors: readonly string[];
  /** Absolute path of the interpreter. */
  readonly python: string;
  readonly environment: PythonEnvironment;
  /** Whether the person allowed these files before. */
  readonly allowed: boolean;
}

/** A person allowed that the files of this digest are loaded, which runs code, by this interpreter. */
export const pythonConsent = z.object({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  python: z.string().min(1),
});
export type PythonConsent = z.infer<typeof pythonConsent>;

const version = {
  name: z.string().min(1).max(256),
  version: z.number().int().positive(),
};

/** The interpreter that the person chose, a path or a name on the search path; null leaves it to the engine. */
export const pythonChoice = z.string().min(1).max(8192).nullable();

/** What the extension host asks the engine about models that only Python can load. */
export const pythonRequests = {
  /** Null when the version needs no Python, or cannot be served at all. Loads nothing of the model. */
  'python/describe': request<PythonModelDescription | null>()(z.object({ ...version, python: pythonChoice })),
  /** Lets the engine load the files of a digest until it ends; who asks remembers it for `engine/open`. */
  'python/allow': request<null>()(pythonConsent),
} as const;
