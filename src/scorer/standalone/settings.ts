import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { SlipwayError } from '../../protocol/errors.ts';
import { hostName } from '../../protocol/hostName.ts';
import type { PackageConfig } from '../../protocol/packagedModel.ts';
import type { DoorlessOptions } from '../../supervision/scorerProcess.ts';
import type { FoundModel } from './packageFolder.ts';

/** What a package runs: so many scorers with these options. */
export interface StandaloneSettings {
  readonly processes: number;
  readonly port: number;
  /** Null answers no gRPC. */
  readonly grpcPort: number | null;
  readonly scorer: DoorlessOptions;
}

/**
 * How a package runs: as its `config.json` says, where the environment says nothing else. `SAGEMAKER_BIND_TO_PORT` and
 * `PORT` are how platforms that run containers tell the port.
 *
 * @throws SlipwayError `packageUnusable`.
 */
export function standaloneSettings(
  config: PackageConfig,
  { folder, model }: FoundModel,
  environment: NodeJS.ProcessEnv,
): StandaloneSettings {
  const number = (names: readonly string[], configured: number, least: number, most: number) => {
    const name = names.find((candidate) => environment[candidate]);
    if (name === undefined) return configured;
    const value = Number(environment[name]);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    const detail = `${name} must be a whole number from ${least} to ${most}, not "${environment[name]}"`;
    throw new SlipwayError('packageUnusable', { detail });
  };
  const log = environment.SLIPWAY_LOG;
  return {
    processes: number(['SLIPWAY_PROCESSES'], config.processes, 1, 64),
    port: number(['SLIPWAY_PORT', 'SAGEMAKER_BIND_TO_PORT', 'PORT'], config.port, 0, 65_535),
    grpcPort:
      environment.SLIPWAY_GRPC_PORT === undefined && config.grpcPort === null
        ? null
        : number(['SLIPWAY_GRPC_PORT'], config.grpcPort ?? 0, 0, 65_535),
    scorer: {
      endpoint: model.name,
      models: [
        {
          name: model.name,
          version: model.version,
          source: { type: 'onnx', file: resolve(folder, model.file) },
          columns: model.columns,
          example: model.example === null ? null : join(folder, model.example),
          labels: model.labels,
          digest: model.digest,
        },
      ],
      host: environment.SLIPWAY_HOST || config.host,
      hosts: environment.SLIPWAY_HOST_NAMES ? readHostNames(environment.SLIPWAY_HOST_NAMES) : config.hosts,
      token: readToken(environment),
      inferenceLog: log ? { file: resolve(log) } : null,
      runtime: {
        threads: number(['SLIPWAY_THREADS'], config.threads, 1, 256),
        batchRows: number(['SLIPWAY_BATCH_ROWS'], config.batchRows, 1, 65_536),
      },
      limits: {
        bodyBytes: config.bodyBytes,
        requests: config.requests,
        runMilliseconds: config.runMilliseconds,
        loadMilliseconds: config.loadMilliseconds,
        drainMilliseconds: config.drainMilliseconds,
      },
    },
  };
}

/** They stand one after another, with commas or spaces between them. */
function readHostNames(text: string): string[] {
  return text
    .split(/[\s,]+/)
    .filter((name) => name !== '')
    .map((name) => {
      const { data, error } = hostName.safeParse(name);
      if (data !== undefined) return data;
      const detail = `SLIPWAY_HOST_NAMES: ${error.issues[0]?.message}, not "${name}"`;
      throw new SlipwayError('packageUnusable', { detail });
    });
}

/** From `SLIPWAY_TOKEN`, or from the file that `SLIPWAY_TOKEN_FILE` names, as secrets are mounted into containers. */
function readToken(environment: NodeJS.ProcessEnv): string | null {
  const file = environment.SLIPWAY_TOKEN_FILE;
  const token = file ? readSecret(file) : environment.SLIPWAY_TOKEN;
  if (token === undefined) return null;
  if (token.length >= 16) return token;
  throw new SlipwayError('packageUnusable', { detail: 'the token must have 16 characters or more' });
}

function readSecret(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new SlipwayError('packageUnusable', { detail }, { cause: error });
  }
}
