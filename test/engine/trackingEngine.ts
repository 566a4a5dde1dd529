import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createChanges } from '../../src/engine/changes.ts';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { createHttpServer } from '../../src/engine/http/server.ts';
import { createRegistryService } from '../../src/engine/registry/service.ts';
import { type ArtifactStore, createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from '../../src/engine/tracking/service.ts';

/** A parsed answer of the dialect; fields are read with `at`. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

/** The engine's tracking behind real HTTP, over a store in a folder of its own. */
export interface TrackingEngine {
  readonly url: string;
  readonly token: string;
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly tracking: TrackingService;
  /** Experiments and runs that were told to have changed since the last look, as `experiment` or `experiment/run`. */
  changed(): readonly string[];
  /** Errors that the server did not foresee. */
  readonly unforeseen: readonly unknown[];
  /** Calls a remote procedure below `/api/2.0/mlflow`. */
  call(method: string, path: string, fields?: object): Promise<Answer>;
  /** Calls any path as it stands, with the token. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export async function openTrackingEngine(): Promise<TrackingEngine> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-tracking-')));
  const database = openDatabase(join(folder, 'store.db'));
  const artifacts = createArtifactStore(join(folder, 'artifacts'));
  const told = new Set<string>();
  const changes = {
    ...createChanges(),
    tracking: (experimentId: string, runId?: string) =>
      void told.add(runId === undefined ? experimentId : `${experimentId}/${runId}`),
  };
  const tracking = createTrackingService({ database, artifacts, changes });
  const registry = createRegistryService({ database, tracking, artifacts, changes });
  const token = 'a token that only this test knows';
  const unforeseen: unknown[] = [];
  const report = (error: unknown) => void unforeseen.push(error);
  const http = await createHttpServer({
    tracking,
    registry,
    artifacts,
    host: '127.0.0.1',
    port: 0,
    token,
    report,
  });

  const engine: TrackingEngine = {
    url: http.url,
    token,
    database,
    artifacts,
    tracking,
    unforeseen,
    changed() {
      const names = [...told].sort();
      told.clear();
      return names;
    },
    async call(method, path, fields = {}) {
      const inQuery = method === 'GET';
      const response = await engine.fetch(`/api/2.0/mlflow${path}${inQuery ? `?${queryOf(fields)}` : ''}`, {
        method,
        ...(inQuery ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
      });
      return { status: response.status, body: await response.json() };
    },
    fetch: (path, init) =>
      fetch(http.url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init?.headers } }),
    async close() {
      await http.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return engine;
}

/** Lists become repeated keys. */
function queryOf(fields: object): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).flatMap(([key, value]) => [value].flat().map((item) => [key, String(item)])),
  );
}

/** The value at a path such as `run.info.run_id` or `runs.0.info` of parsed JSON; undefined when it is not there. */
export function at(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((place, name) => {
    if (typeof place !== 'object' || place === null) return undefined;
    return Object.entries(place).find(([key]) => key === name)?.[1];
  }, value);
}

/** The text at a path of parsed JSON. */
export function textAt(value: unknown, path: string): string {
  const text = at(value, path);
  if (typeof text === 'string') return text;
  throw new Error(`No text at ${path}: ${JSON.stringify(value)}`);
}

/** The list at a path of parsed JSON; empty when it is not there, as empty lists are left out. */
export function listAt(value: unknown, path: string): readonly unknown[] {
  const list = at(value, path) ?? [];
  if (Array.isArray(list)) return list;
  throw new Error(`No list at ${path}: ${JSON.stringify(value)}`);
}
