import { given } from '../../inference/datatypes.ts';
import { badRequest, RequestProblem } from '../../inference/problem.ts';
import type { ModelRepository } from '../modelRepository.ts';
import { readJsonObject } from '../requestBody.ts';

/**
 * The model repository extension
 * (https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md), over HTTP and
 * gRPC. What is loaded follows the model registry, not the clients of an endpoint: so a client may load what is loaded,
 * which changes nothing, and unload nothing.
 */

export interface IndexedVersion {
  readonly name: string;
  readonly version: string;
  readonly state: 'READY' | 'UNAVAILABLE';
  readonly reason: string;
}

/** All versions, by name and number. @param onlyReady leaves out those that take no requests. */
export function repositoryIndex(models: ModelRepository, onlyReady: boolean): readonly IndexedVersion[] {
  const ready = models.isReady();
  if (onlyReady && !ready) return [];
  return models.names().flatMap((name) =>
    models
      .versions(name)
      .toSorted((left, right) => left.version - right.version)
      .map(({ version }) => ({
        name,
        version: String(version),
        state: ready ? 'READY' : 'UNAVAILABLE',
        reason: ready ? '' : 'unloading',
      })),
  );
}

/** Whether an index request asks for ready models only; its body may be empty. @throws RequestProblem 400. */
export function readIndexRequest(body: Buffer): boolean {
  if (body.length === 0) return false;
  const { ready } = readJsonObject(body);
  if (ready === undefined || ready === null) return false;
  if (typeof ready !== 'boolean') throw badRequest(`"ready" must be true or false, got ${given(ready)}.`);
  return ready;
}

/** The names of the parameters of a load or unload request; its body may be empty. @throws RequestProblem 400. */
export function readControlParameters(body: Buffer): readonly string[] {
  if (body.length === 0) return [];
  const { parameters } = readJsonObject(body);
  if (parameters === undefined || parameters === null) return [];
  if (typeof parameters !== 'object')
    throw badRequest(`"parameters" must be an object, got ${given(parameters)}.`);
  return Object.keys(parameters);
}

/**
 * Loading what is there succeeds.
 *
 * @throws RequestProblem 400 when the client brings a configuration or files of its own, 404 when there is no such model.
 */
export function loadModel(models: ModelRepository, name: string, parameters: readonly string[]): void {
  if (models.versions(name).length === 0) {
    const served = models.names().map((known) => `"${known}"`);
    throw new RequestProblem(
      404,
      `"${name}" is not served here (${served.join(', ')}); an endpoint loads what the model registry leads to it, not what a client names.`,
    );
  }
  const [own] = parameters;
  if (own !== undefined) {
    throw badRequest(
      `The parameter "${own}" is not taken: models come from the model registry, not from clients.`,
    );
  }
}

/** @throws RequestProblem 404 when there is no such model, else 409. */
export function unloadModel(models: ModelRepository, name: string): never {
  if (models.versions(name).length === 0) models.choose(name, {}, {});
  throw new RequestProblem(
    409,
    `"${name}" stays loaded: the endpoint follows the model registry. Lead its traffic elsewhere there, or stop the endpoint.`,
  );
}
