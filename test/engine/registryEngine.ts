import { Readable } from 'node:stream';
import { type HttpEngine, openHttpEngine } from './httpEngine.ts';

/** An engine behind HTTP that hears of changed models and can make what models are made of. */
export interface RegistryEngine extends HttpEngine {
  /** Names of models that were told to have changed since the last look. */
  changedModels(): readonly string[];
  /** Makes a run in experiment 0; gives its id. */
  createRun(): string;
  /** Makes a logged model of a run, with an MLmodel file of flavour onnx; gives its id. */
  createLoggedModel(runId: string, name?: string): Promise<string>;
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
  const changed = new Set<string>();
  const engine = await openHttpEngine(token, { registry: (model) => void changed.add(model) });
  const { tracking, artifacts } = engine;
  return {
    ...engine,
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
  };
}
