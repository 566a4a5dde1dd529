import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createChanges } from '../../src/engine/changes.ts';
import { type Database, openDatabase } from '../../src/engine/database/connection.ts';
import { createHttpServer, type HttpServer } from '../../src/engine/http/server.ts';
import { createRegistryService, type RegistryService } from '../../src/engine/registry/service.ts';
import { type ArtifactStore, createArtifactStore } from '../../src/engine/tracking/artifacts.ts';
import { createTrackingService, type TrackingService } from '../../src/engine/tracking/service.ts';

/** Tracking, registry and the HTTP dialect over a real store in a folder of its own. */
export interface RegistryEngine {
  readonly folder: string;
  /** Base address of the dialect. */
  readonly url: string;
  readonly database: Database;
  readonly artifacts: ArtifactStore;
  readonly tracking: TrackingService;
  readonly registry: RegistryService;
  /** Names of models that were told to have changed since the last look. */
  changedModels(): readonly string[];
  /** Makes a run in experiment 0; gives its id. */
  createRun(): string;
  /** Makes a logged model of a run, with an MLmodel file of flavour onnx; gives its id. */
  createLoggedModel(runId: string, name?: string): Promise<string>;
  /** Calls an RPC below `/api/2.0/mlflow`; gives status and parsed answer. */
  call(method: string, path: string, fields?: object): Promise<Answer>;
  /** Calls any path as it stands. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export const mlmodelText = (modelId: string, runId: string) => `artifact_path: model
flavors:
  onnx:
    data: model.onnx
    onnx_version: 1.19.0
  python_function:
    loader_module: mlflow.onnx
mlflow_version: 3.17.2
model_id: ${modelId}
run_id: ${runId}
signature:
  inputs: '[{"type": "double", "name": "x", "required": true}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1]}}]'
`;

/** Opens one; `token` is what its HTTP door asks for. */
export async function openRegistryEngine(token: string | null = null): Promise<RegistryEngine> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-registry-')));
  const database = openDatabase(join(folder, 'store.db'));
  const artifacts = createArtifactStore(join(folder, 'artifacts'));
  const changed = new Set<string>();
  const changes = { ...createChanges(), registry: (model: string) => void changed.add(model) };
  const tracking = createTrackingService({ database, artifacts, changes });
  const registry = createRegistryService({ database, tracking, artifacts, changes });
  const http: HttpServer = await createHttpServer({
    tracking,
    registry,
    artifacts,
    host: '127.0.0.1',
    port: 0,
    token,
    report: (error) => console.error(error),
  });
  const engine: RegistryEngine = {
    folder,
    url: http.url,
    database,
    artifacts,
    tracking,
    registry,
    changedModels() {
      const names = [...changed].sort();
      changed.clear();
      return names;
    },
    createRun: () =>
      tracking.createRun({ experimentId: '0', name: '', userId: 'ana', startTime: 1, tags: [] }).info.runId,
    async createLoggedModel(runId, name = 'model') {
      const { model } = tracking.createLoggedModel({
        experimentId: '0',
        name,
        modelType: '',
        sourceRunId: runId,
        tags: [],
        parameters: [],
      });
      const file = artifacts.pathOf(model.artifactUri, 'MLmodel');
      await artifacts.write(file, Readable.from([mlmodelText(model.modelId, runId)]));
      return model.modelId;
    },
    async call(method, path, fields = {}) {
      const isQuery = method === 'GET';
      const query = new URLSearchParams(
        Object.entries(fields).flatMap(([key, value]) => [value].flat().map((item) => [key, String(item)])),
      );
      const response = await engine.fetch(`/api/2.0/mlflow${path}${isQuery ? `?${query}` : ''}`, {
        method,
        ...(isQuery ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) }),
      });
      return { status: response.status, body: await response.json() };
    },
    fetch: (path, init) => fetch(http.url + path, init),
    async close() {
      await http.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return engine;
}
