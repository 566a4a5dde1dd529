import { badRequest } from '../../inference/problem.ts';
import type { CountedEndpoint } from '../countedVersions.ts';
import type { ModelRepository } from '../modelRepository.ts';
import { modelConfiguration, modelMetadata, serverMetadata } from '../protocols/openInferenceMetadata.ts';
import { loadModel, repositoryIndex, unloadModel } from '../protocols/openInferenceRepository.ts';
import { modelStatistics } from '../protocols/openInferenceStatistics.ts';
import {
  modelConfigResponse,
  modelMetadataResponse,
  modelRequest,
  modelStatisticsResponse,
  nothing,
  readyResponse,
  repositoryControlRequest,
  repositoryControlResponse,
  repositoryIndexRequest,
  repositoryIndexResponse,
  serverLiveResponse,
  serverMetadataResponse,
} from './describingMessages.ts';
import { decodeMessage } from './predictions.ts';
import type { Message } from './protobuf.ts';

/** A method that is answered from what the scorer knows: message in, message out. */
export interface DescribingMethod {
  /** Open to everyone, as health checks need no token. */
  readonly open: boolean;
  /** @throws RequestProblem */
  answer(message: Buffer): Promise<Buffer>;
}

function method<Request, Response>(
  request: Message<Request>,
  response: Message<Response>,
  answer: (request: Request) => Response | Promise<Response>,
  open = false,
): DescribingMethod {
  return {
    open,
    answer: async (message) => response.encode(await answer(decodeMessage(request, message))),
  };
}

/** Triton's numbers of the datatypes in a model's configuration. */
const configuredTypes: Readonly<Record<string, number>> = {
  TYPE_BOOL: 1,
  TYPE_UINT8: 2,
  TYPE_UINT16: 3,
  TYPE_UINT32: 4,
  TYPE_UINT64: 5,
  TYPE_INT8: 6,
  TYPE_INT16: 7,
  TYPE_INT32: 8,
  TYPE_INT64: 9,
  TYPE_FP16: 10,
  TYPE_FP32: 11,
  TYPE_FP64: 12,
  TYPE_STRING: 13,
};

/** The methods of the inference service that predict nothing, by name. */
export function describingMethods(sources: CountedEndpoint): Readonly<Record<string, DescribingMethod>> {
  const { models } = sources;
  return {
    ServerLive: method(nothing, serverLiveResponse, () => ({ live: true }), true),
    ServerReady: method(nothing, readyResponse, () => ({ ready: models.isReady() }), true),
    // As in Triton, a model that is not there is one that is not ready.
    ModelReady: method(modelRequest, readyResponse, ({ name, version }) => ({
      ready: models.isReady() && isLoaded(models, name, version),
    })),
    ServerMetadata: method(nothing, serverMetadataResponse, serverMetadata),
    ModelMetadata: method(modelRequest, modelMetadataResponse, ({ name, version }) =>
      modelMetadata(models, name, given(version)),
    ),
    ModelConfig: method(modelRequest, modelConfigResponse, ({ name, version }) => {
      const config = modelConfiguration(models, name, given(version));
      const numbered = ({ data_type, ...rest }: (typeof config.input)[number]) => ({
        ...rest,
        data_type: configuredTypes[data_type] ?? 0,
      });
      return {
        config: { ...config, input: config.input.map(numbered), output: config.output.map(numbered) },
      };
    }),
    RepositoryIndex: method(repositoryIndexRequest, repositoryIndexResponse, ({ ready }) => ({
      models: repositoryIndex(models, ready),
    })),
    RepositoryModelLoad: method(repositoryControlRequest, repositoryControlResponse, (request) => {
      const model_name = controlledModel(request);
      loadModel(
        models,
        model_name,
        request.parameters.map(({ key }) => key),
      );
      return { model_name, is_done: true };
    }),
    RepositoryModelUnload: method(repositoryControlRequest, repositoryControlResponse, (request) =>
      unloadModel(models, controlledModel(request)),
    ),
    ModelStatistics: method(modelRequest, modelStatisticsResponse, async ({ name, version }) => ({
      model_stats: await modelStatistics(sources, given(name), given(version)),
    })),
  };
}

/** A text that a client left out is empty. */
function given(text: string): string | undefined {
  return text === '' ? undefined : text;
}

function isLoaded(models: ModelRepository, name: string, version: string): boolean {
  const versions = models.versions(name);
  return version === '' ? versions.length > 0 : versions.some((loaded) => String(loaded.version) === version);
}

function controlledModel(request: {
  readonly repository_or_model_name: string;
  readonly model_name: string;
}): string {
  const name = request.model_name || request.repository_or_model_name;
  if (name === '') throw badRequest('The message names no model.');
  return name;
}
