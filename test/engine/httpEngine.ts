import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Changes, createChanges } from '../../src/engine/changes.ts';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import type { Endpoint } from '../../src/engine/http/dialect.ts';
import { createHttpServer } from '../../src/engine/http/server.ts';
import { createProvenanceService, type ProvenanceService } from '../../src/engine/provenance/service.ts';
import { createRegistryService, type RegistryService } from '../../src/engine/registry/service.ts';
import { type ArtifactStore, createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from '../../src/engine/tracking/service.ts';
import type { Answer } from './answers.ts';

/** Tracking and registry behind real HTTP, over a store in a folder of its own. */
export interface HttpEngine {
  readonly folder: string;
  /** Base address of the dialect. */
  readonly url: string;
  /** All that the dialect can be asked for. */
  readonly endpoints: readonly Endpoint[];
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly tracking: TrackingService;
  readonly provenance: ProvenanceService;
  readonly registry: RegistryService;
  /** Errors that the server did not foresee. */
  readonly unforeseen: readonly unknown[];
  /** Calls a remote procedure below `/api/2.0/mlflow`. */
  call(method: string, path: string, fields?: object): Promise<Answer>;
  /** Calls any path as it stands, with the token where there is one. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** @throws AssertionError when the server met an error that it did not foresee. */
  close(): Promise<void>;
}

/**
 * Opens one.
 *
 * @param token what its HTTP door asks for; null for nothing.
 * @param listening takes the place of those changes.
 */
export async function openHttpEngine(
  token: string | null,
  listening: Partial<Changes> = {},
): Promise<HttpEngine> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-engine-')));
  const database = openDatabase(join(folder, 'store.db'));
  const artifacts = createArtifactStore(join(folder, 'artifacts'));
  const changes = { ...createChanges(), ...listening };
  const tracking = createTrackingService({ database, artifacts, changes });
  const provenance = createProvenanceService({ database, tracking, changes });
  const registry = createRegistryService({ database, tracking, artifacts, changes });
  const unforeseen: unknown[] = [];
  const http = await createHttpServer({
    tracking,
    registry,
    artifacts,
    provenance,
    host: '127.0.0.1',
    port: 0,
    token,
    report: (error) => void unforeseen.push(error),
  });
  const authorization = token === null ? {} : { authorization: `Bearer ${token}` };

  const engine: HttpEngine = {
    folder,
    url: http.url,
    endpoints: http.endpoints,
    database,
    artifacts,
    tracking,
    provenance,
    registry,
    unforeseen,
    async call(method, path, fields = {}) {
      const inQuery = method === 'GET';
      const response = await engine.fetch(`/api/2.0/mlflow${path}${inQuery ? `?${queryOf(fields)}` : ''}`, {
        method,
        ...(inQuery ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
      });
      return { status: response.status, body: await response.json() };
    },
    fetch: (path, init) =>
      fetch(http.url + path, { ...init, headers: { ...authorization, ...init?.headers } }),
    async close() {
      await http.close();
      await provenance.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
      assert.deepEqual(unforeseen, []);
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
