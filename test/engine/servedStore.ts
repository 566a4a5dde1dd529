import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Engine, openEngine } from '../../src/engine/engine.ts';
import { storeLayout } from '../../src/engine/layout.ts';
import { createArtifactStore } from '../../src/engine/tracking/artifacts.ts';

const source = join(import.meta.dirname, '../../src');

export const storeToken = 'a token for the tests';

/** A whole engine in this process, over the sources. The caller closes it. */
export function openWholeEngine(workspace: string): Promise<Engine> {
  return openEngine({
    workspace,
    host: '127.0.0.1',
    port: 0,
    token: storeToken,
    trusted: true,
    scripts: { scorer: join(source, 'scorer/main.ts'), worker: join(source, 'worker/main.ts') },
  });
}

/** The content of further files of a logged model, by name. */
export type ModelFiles = Readonly<Record<string, string>>;

/** Logs an ONNX model with a run of its own and registers it; gives the version. */
export function registerOnnx(
  { tracking, registry }: Engine,
  workspace: string,
  name: string,
  onnx: Buffer,
  files: ModelFiles = {},
): number {
  const run = { experimentId: '0', name: '', userId: 'ana', startTime: 1, tags: [] };
  const { runId } = tracking.createRun(run).info;
  const { model } = tracking.createLoggedModel({
    experimentId: '0',
    name: 'model',
    modelType: '',
    sourceRunId: runId,
    tags: [],
    parameters: [],
  });
  const contents = { MLmodel: 'flavors:\n  onnx:\n    data: model.onnx\n', ...files, 'model.onnx': onnx };
  const folder = createArtifactStore(storeLayout(workspace).artifacts).resolve(model.artifactUri);
  mkdirSync(folder, { recursive: true });
  for (const [path, content] of Object.entries(contents)) writeFileSync(join(folder, path), content);
  return registry.register({ name, runId, modelId: model.modelId }).version;
}
