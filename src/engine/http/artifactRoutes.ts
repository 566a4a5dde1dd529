import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactEntry } from '../../protocol/tracking.ts';
import { readVersionNumber } from '../registry/names.ts';
import type { RegistryService } from '../registry/service.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import type { TrackingService } from '../tracking/service.ts';
import { contentTypeOf } from './contentType.ts';
import { answerJson, bodyOf, type DialectRoutes, encodeList, queryOf } from './dialect.ts';
import { isFields } from './message.ts';
import { readRunId } from './readings.ts';

export interface ArtifactRouteOptions {
  readonly artifacts: ArtifactStore;
  readonly tracking: Pick<TrackingService, 'run' | 'loggedModel'>;
  readonly registry: Pick<RegistryService, 'versionFilesUri'>;
}

/** The files of runs and models: MLflow's artifact proxy, and the lists and downloads by run, version and model. */
export function registerArtifactRoutes(routes: DialectRoutes, options: ArtifactRouteOptions): void {
  registerProxyRoutes(routes, options.artifacts);
  registerRefusals(routes);
  registerListsAndDownloads(routes, options);
}

function registerProxyRoutes(routes: DialectRoutes, artifacts: ArtifactStore): void {
  const path = '/mlflow-artifacts/artifacts';
  routes.rpc('GET', path, (message) => {
    const entries = artifacts.list(artifacts.locationOf(), message.text('path') ?? '');
    return { files: encodeList(entries.map((entry) => encodeEntry(entry, basename(entry.path)))) };
  });
  routes.raw('PUT', `${path}/*`, async (request, reply) => {
    await artifacts.write(pathOf(request), Readable.from(bodyOf(request)));
    return answerJson(reply, 200, {});
  });
  routes.raw('GET', `${path}/*`, (request, reply) => sendFile(reply, artifacts, pathOf(request)));
  routes.raw('DELETE', `${path}/*`, (request, reply) => {
    artifacts.remove(pathOf(request));
    return answerJson(reply, 200, {});
  });
}

/** The Python client reads these words and sends the file in one piece instead. */
function registerRefusals(routes: DialectRoutes): void {
  const refuse = (detail: string) => () => {
    throw new SlipwayError('notImplemented', { detail });
  };
  for (const step of ['create', 'complete', 'abort']) {
    routes.raw(
      'POST',
      `/mlflow-artifacts/mpu/${step}/*`,
      refuse('Multipart upload is not supported for the current artifact repository'),
    );
  }
  routes.raw(
    'GET',
    '/mlflow-artifacts/presigned/*',
    refuse('Presigned download is not supported for the current artifact repository'),
  );
  routes.raw(
    'POST',
    '/mlflow/artifacts/presigned-upload-url',
    refuse('Presigned upload is not supported for the current artifact repository'),
  );
}

function registerListsAndDownloads(routes: DialectRoutes, options: ArtifactRouteOptions): void {
  const { artifacts, tracking, registry } = options;
  const list = (uri: string, path: string) => ({
    root_uri: uri,
    files: encodeList(artifacts.list(uri, path).map((entry) => encodeEntry(entry, entry.path))),
  });
  routes.rpc('GET', '/mlflow/artifacts/list', (message) =>
    list(tracking.run(readRunId(message)).artifactUri, message.text('path') ?? ''),
  );
  routes.rpc('GET', '/mlflow/logged-models/{model_id}/artifacts/directories', (message) =>
    list(
      tracking.loggedModel(message.requiredText('model_id')).artifactUri,
      message.text('artifact_directory_path') ?? '',
    ),
  );
  routes.raw('GET', '/mlflow/logged-models/{model_id}/artifacts/files', (request, reply) => {
    const message = queryOf(request);
    const uri = tracking.loggedModel(message.requiredText('model_id')).artifactUri;
    return sendFile(reply, artifacts, artifacts.pathOf(uri, message.requiredText('artifact_file_path')));
  });
  routes.plain('GET', '/get-artifact', (request, reply) => {
    const message = queryOf(request);
    const uri = tracking.run(readRunId(message)).artifactUri;
    return sendFile(reply, artifacts, artifacts.pathOf(uri, message.requiredText('path')));
  });
  routes.plain('GET', '/model-versions/get-artifact', (request, reply) => {
    const message = queryOf(request);
    const version = readVersionNumber(message.requiredText('version'));
    const uri = registry.versionFilesUri(message.requiredText('name'), version);
    return sendFile(reply, artifacts, artifacts.pathOf(uri, message.requiredText('path')));
  });
}

/** Streams a file. A browser must save it and not show it: it may hold a page with a script. */
function sendFile(reply: FastifyReply, artifacts: ArtifactStore, path: string): FastifyReply {
  const { name, size, content } = artifacts.open(path);
  return reply
    .header('content-type', contentTypeOf(name))
    .header('content-length', size)
    .header('content-disposition', attachment(name))
    .header('x-content-type-options', 'nosniff')
    .send(content);
}

/** `filename` for old readers, in plain ASCII; `filename*` with the name itself (RFC 6266). */
function attachment(name: string): string {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const quoted = /^[\w.-]+$/.test(plain) ? plain : `"${plain}"`;
  return plain === name
    ? `attachment; filename=${quoted}`
    : `attachment; filename=${quoted}; filename*=UTF-8''${encoded}`;
}

function encodeEntry(entry: ArtifactEntry, path: string): object {
  return { path, is_dir: entry.isDirectory, file_size: entry.isDirectory ? undefined : entry.size };
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function pathOf(request: FastifyRequest): string {
  const path = isFields(request.params) ? request.params['*'] : undefined;
  return typeof path === 'string' ? path : '';
}
