import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../../src/engine/engine.ts';
import { settingsFile } from '../../src/protocol/endpointSettings.ts';
import type { EndpointSummary } from '../../src/protocol/serving.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { openWholeEngine, registerOnnx, storeToken } from './servedStore.ts';

/** A workspace whose engine can be closed and opened again, with versions of a model "wine" that answer 1, 2, ... */
export interface RolloutStage {
  readonly workspace: string;
  engine(): Engine;
  /** Lines of the engine's log. */
  readonly logged: readonly string[];
  /** Registers a version that adds `bias` to its answer. */
  register(bias: number, onnx?: Buffer): number;
  /** Brings a version to Production. */
  promote(version: number): void;
  writeSettings(text: string): void;
  /** What happened to an endpoint and by whom, oldest first. */
  trail(endpoint?: string): readonly string[];
  /** Waits until an endpoint is as wanted, whenever something about it changes. */
  until(wanted: (endpoint: EndpointSummary) => boolean, endpoint?: string): Promise<EndpointSummary>;
  ask(init?: { readonly headers?: Record<string, string>; readonly endpoint?: string }): Promise<Answer>;
  reopen(): Promise<void>;
  close(): Promise<void>;
}

export interface Answer {
  readonly status: number;
  readonly variant: string | null;
  readonly requestId: string | null;
  /** What the model added. */
  readonly bias: number;
}

const body = JSON.stringify({ inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [0, 0, 0] }] });

export async function openRolloutStage(): Promise<RolloutStage> {
  const workspace = await temporaryFolder();
  const logged: string[] = [];
  let engine: Engine;
  let closed = false;
  const open = async () => {
    engine = await openWholeEngine(workspace);
    engine.changes.listen((event, data) => {
      if (event === 'log' && 'message' in data) logged.push(data.message);
    });
  };
  await open();
  return {
    workspace,
    engine: () => engine,
    logged,
    register: (bias, onnx = linearModel('rows', bias)) => registerOnnx(engine, workspace, 'wine', onnx),
    promote(version) {
      engine.registry.promote({ name: 'wine', version, stage: 'Production', who: 'Ana', why: '' });
    },
    trail: (endpoint = 'wine') =>
      engine.serving
        .events(endpoint, 100)
        .map(({ kind, who }) => `${who}: ${kind}`)
        .toReversed(),
    writeSettings: (text) => writeFileSync(join(workspace, settingsFile), text),
    until: (wanted, endpoint = 'wine') =>
      new Promise((resolve) => {
        const look = () => {
          if (closed) return;
          const found = engine.serving.endpoints().find(({ name }) => name === endpoint);
          if (!found || !wanted(found)) return;
          subscription.dispose();
          resolve(found);
        };
        const subscription = engine.changes.listen(look);
        look();
      }),
    async ask({ headers = {}, endpoint = 'wine' } = {}) {
      const response = await fetch(engine.serving.describe(endpoint).inferUrl, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${storeToken}`,
          'content-type': 'application/json',
          ...headers,
        },
        body,
      });
      const text = await response.text();
      const answer = response.status === 200 ? JSON.parse(text) : null;
      return {
        status: response.status,
        variant: response.headers.get('x-slipway-variant'),
        requestId: response.headers.get('x-request-id'),
        bias: answer?.outputs[0].data[0] ?? Number.NaN,
      };
    },
    async reopen() {
      closed = true;
      await engine.close();
      await open();
      closed = false;
    },
    async close() {
      closed = true;
      await engine.close();
      await removeFolder(workspace);
    },
  };
}

/** The same with the versions 1 and 2 of "wine", the first of which is served. */
export async function openServedStage(): Promise<RolloutStage> {
  const stage = await openRolloutStage();
  stage.register(1);
  stage.register(2);
  await stage.engine().serving.start({ modelName: 'wine', modelVersion: 1, port: null });
  return stage;
}
