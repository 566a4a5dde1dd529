import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createChanges } from '../../src/engine/changes.ts';
import { openDatabase } from '../../src/engine/database/connection.ts';
import { createStore, type StoreLayout, storeLayout } from '../../src/engine/layout.ts';
import { createServingService, type ServingDependencies } from '../../src/engine/serving/service.ts';
import { createWorkerProcesses } from '../../src/engine/workerProcess.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { scorerScript } from '../scorer/scorerProcess.ts';
import { workerScript } from './monitoringStage.ts';

export const token = 'a token for the tests';

/** An MLflow model's folder with an ONNX file in it. */
export function writeModel(folder: string, model: Buffer, columns: readonly string[] | null = null): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'model.onnx'), model);
  const inputs = JSON.stringify(columns?.map((name) => ({ name, type: 'float', required: true })));
  const signature = columns ? `signature:\n  inputs: '${inputs}'\n` : '';
  writeFileSync(join(folder, 'MLmodel'), `flavors:\n  onnx:\n    data: model.onnx\n${signature}`);
}

/** The serving part of an engine in a workspace whose registry is `<workspace>/models/<name>/<version>/`. */
export function openServing(workspace: string) {
  const layout: StoreLayout = storeLayout(workspace);
  createStore(layout);
  const database = openDatabase(layout.database);
  const changes = createChanges();
  const logged: string[] = [];
  changes.listen((event, data) => {
    if (event === 'log' && 'message' in data) logged.push(data.message);
  });
  const registry: ServingDependencies['registry'] = {
    // Asked only by what follows the registry, which this one does not move.
    model: (name) => {
      throw new SlipwayError('notFound', { detail: `There is no model "${name}" here.` });
    },
    modelVersion: (name) => {
      throw new SlipwayError('notFound', { detail: `There is no model "${name}" here.` });
    },
    promote: ({ name }) => {
      throw new SlipwayError('notFound', { detail: `There is no model "${name}" here.` });
    },
    takeBack: () => null,
    setAlias: () => undefined,
    modelFolder: (name, version) => join(workspace, 'models', name, `${version}`),
    version(name, version) {
      if (version > 90)
        throw new SlipwayError('notFound', { detail: `There is no version ${version} of "${name}".` });
      return {
        name,
        version,
        stage: 'None',
        aliases: [],
        runId: null,
        runName: null,
        mainMetric: null,
        flavors: ['onnx'],
        createdAt: 0,
      };
    },
  };
  const workers = createWorkerProcesses(workerScript);
  const serving = createServingService({
    database,
    registry,
    pythonModels: { allowedInterpreter: () => null, whenRead: async (work) => work() },
    layout,
    changes,
    host: '127.0.0.1',
    token,
    script: scorerScript,
    workspace: null,
    workers,
  });
  return {
    serving,
    changes,
    layout,
    /** The process that became ready last, as the log says. */
    scorerId: () =>
      Number(/\(process (\d+)\)/.exec(logged.findLast((line) => line.includes('(process ')) ?? '')?.[1]),
    async close() {
      await serving.close();
      await workers.close();
      database.close();
    },
  };
}

/** The same in a process of its own that serves version 1 of "wine", so that it can be killed. */
export async function forkServing(workspace: string) {
  const child = fork(import.meta.filename, [workspace], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [{ url, scorerId }] = await once(child, 'message');
  return { child, url: String(url), scorerId: Number(scorerId) };
}

if (process.argv[1] === import.meta.filename && process.argv[2]) {
  const { serving, scorerId } = openServing(process.argv[2]);
  const { url } = await serving.start({ modelName: 'wine', modelVersion: 1, port: null });
  process.send?.({ url, scorerId: scorerId() });
}
