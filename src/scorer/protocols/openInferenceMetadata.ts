import type { Datatype } from '../../inference/datatypes.ts';
import { describeTensor, type TensorSpecification } from '../../inference/model.ts';
import type { TensorDescription } from '../../protocol/tensor.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { serverName, serverVersion } from '../serverIdentity.ts';

/** What the Open Inference Protocol tells of a server and its models, over HTTP and gRPC. */

export interface ServerMetadata {
  readonly name: string;
  readonly version: string;
  readonly extensions: readonly string[];
}

export function serverMetadata(): ServerMetadata {
  return {
    name: serverName,
    version: serverVersion,
    extensions: [
      'binary_tensor_data',
      'classification',
      'model_configuration',
      'model_repository',
      'statistics',
    ],
  };
}

/**
 * The version that a question about a model is about: the one that is named, else the one that most requests meet.
 *
 * @throws RequestProblem 404 when it is not there.
 */
export function describedVersion(
  models: ModelRepository,
  name: string,
  version: string | undefined,
): LoadedVersion {
  const stable = version === undefined ? models.stable(name) : null;
  return stable ?? models.choose(name, { version }, {}).loaded;
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorDescription[];
  readonly outputs: readonly TensorDescription[];
}

/** With a version it names only that one. @throws RequestProblem 404. */
export function modelMetadata(
  models: ModelRepository,
  name: string,
  version: string | undefined,
): ModelMetadata {
  const { predictor, runtime, version: number } = describedVersion(models, name, version);
  const versions = version === undefined ? models.versions(name).map((loaded) => loaded.version) : [number];
  return {
    name,
    versions: versions.toSorted((left, right) => left - right).map(String),
    platform: runtime === 'onnx' ? 'onnx_onnxv1' : 'mlflow_pyfunc',
    inputs: predictor.inputs.map(describeTensor),
    outputs: predictor.outputs.map(describeTensor),
  };
}

/** The part of Triton's model configuration that says how to ask a model. */
export interface ModelConfiguration {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  /** 0: the sizes of inputs and outputs are complete, the number of rows among them. */
  readonly max_batch_size: 0;
  readonly input: readonly ConfiguredTensor[];
  readonly output: readonly ConfiguredTensor[];
}

export interface ConfiguredTensor {
  readonly name: string;
  readonly data_type: `TYPE_${Datatype | 'STRING'}`;
  readonly dims: readonly number[];
}

/** @throws RequestProblem 404. */
export function modelConfiguration(
  models: ModelRepository,
  name: string,
  version: string | undefined,
): ModelConfiguration {
  const { predictor, runtime } = describedVersion(models, name, version);
  return {
    name,
    ...(runtime === 'onnx'
      ? { platform: 'onnxruntime_onnx', backend: 'onnxruntime' }
      : { platform: 'mlflow_pyfunc', backend: 'python' }),
    max_batch_size: 0,
    input: predictor.inputs.map(configuredTensor),
    output: predictor.outputs.map(configuredTensor),
  };
}

function configuredTensor({ name, datatype, shape }: TensorSpecification): ConfiguredTensor {
  return {
    name,
    data_type: datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`,
    dims: shape ?? [-1],
  };
}
