import { z } from 'zod';
import { hostName } from './hostName.ts';

/**
 * The files of a folder that `slipway package` wrote:
 *
 *     start.cjs            runs it: `node start.cjs`
 *     config.json          `packageConfig`: how it listens and runs
 *     model/model.json     `packagedModel`: what is served; beside it the ONNX file and what belongs to it
 *     SHA256SUMS           a line for each file: its digest, two spaces, its path; `sha256sum -c` reads it, too
 *     sbom.cdx.json        what is inside (CycloneDX 1.6)
 */
export const packageFiles = {
  start: 'start.cjs',
  config: 'config.json',
  modelFolder: 'model',
  model: 'model.json',
  digests: 'SHA256SUMS',
  bill: 'sbom.cdx.json',
} as const;

/** The model of a package, in the file `model.json` of its folder. */
export const packagedModel = z.object({
  name: z.string().min(1),
  version: z.number().int().positive(),
  /** The ONNX file, relative to this file's folder. */
  file: z.string().min(1),
  columns: z.array(z.string()).nullable().default(null),
  /** The logged input example, relative to this file's folder. */
  example: z.string().min(1).nullable().default(null),
  labels: z.array(z.string().min(1)).default([]),
  /** SHA-256 of the ONNX file in hexadecimal digits. */
  digest: z.string().nullable().default(null),
  /** A request of the Open Inference Protocol, and what the model answered when it was packaged. */
  test: z.object({ request: z.string(), answer: z.string() }).nullable().default(null),
});
export type PackagedModel = z.infer<typeof packagedModel>;

/** How a package listens and runs, in its file `config.json`. People edit it; the environment overrules it. */
export const packageConfig = z.object({
  /** The platform that the native modules are for, such as `linux-x64`. */
  platform: z.string(),
  /** Loopback, unless the environment names another address, as the Dockerfile does. */
  host: z.string().min(1).default('127.0.0.1'),
  /** Further host names by which it is asked where it listens on loopback, such as that of a proxy before it. */
  hosts: z.array(hostName).default([]),
  port: z.number().int().min(0).max(65_535).default(8080),
  /** For the Open Inference Protocol over gRPC; null answers none. */
  grpcPort: z.number().int().min(0).max(65_535).nullable().default(null),
  /** Scorer processes that share the port. */
  processes: z.number().int().min(1).max(64).default(1),
  threads: z.number().int().min(1).max(256).default(1),
  batchRows: z.number().int().min(1).max(65_536).default(1024),
  /** Bytes of a request's body, requests under way at a time, and how long one run of the model and loading it may take. */
  bodyBytes: z.number().int().positive().default(64_000_000),
  requests: z.number().int().positive().default(1024),
  runMilliseconds: z.number().int().positive().default(60_000),
  loadMilliseconds: z.number().int().positive().default(300_000),
  drainMilliseconds: z.number().int().positive().default(10_000),
});
export type PackageConfig = z.infer<typeof packageConfig>;

/** Reads the lines of `SHA256SUMS`: digest by path. */
export function readDigests(text: string): ReadonlyMap<string, string> {
  const digests = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{64}) {2}(.+)$/.exec(line);
    if (match?.[1] && match[2]) digests.set(match[2], match[1]);
  }
  return digests;
}

/** Writes the lines of `SHA256SUMS`, by path. */
export function writeDigests(digests: ReadonlyMap<string, string>): string {
  return [...digests]
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([path, digest]) => `${digest}  ${path}\n`)
    .join('');
}
