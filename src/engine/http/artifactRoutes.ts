import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ArtifactEntry } from '../../protocol/tracking.ts';
import { readVersionNumber } from '../registry/names.ts';
import type { RegistryService } from '../registry/service.ts';
import { artifactSegments } from '../tracking/artifactPath.ts';
import type { ArtifactStore } from '../tracking/artifacts.ts';
import { invalid } from '../tracking/limits.ts';
import type { TrackingService } from '../tracking/service.ts';
import { answerJson, answerNoSuchEndpoint } from './answer.ts';
import { contentTypeOf } from './contentType.ts';
import { bodyOf, type DialectRoutes, encodeList, queryOf } from './dialect.ts';
import { isFields, type Message } from './message.ts';
import { readRunId } from './readings.ts';

export interface ArtifactRouteOptions {
  readonly artifacts: ArtifactStore;
  readonly tracking: Pick<TrackingService, 'run' | 'loggedModel' | 'traceFilePath' | 'artifactWritten'>;
  readonly registry: Pick<RegistryService, 'versionFilesUri'>;
}

/** The files of runs and models: MLflow's artifact proxy, and the lists and downloads by run, version and model. */
export function registerArtifactRoutes(routes: DialectRoutes, options: ArtifactRouteOptions): void {
  registerProxyRoutes(routes, options);
  registerRefusals(routes);
  registerListsAndDownloads(routes, options);
  registerUpload(routes, options);
}

function registerProxyRoutes(
  routes: DialectRoutes,
  { artifacts, tracking }: Pick<ArtifactRouteOptions, 'artifacts' | 'tracking'>,
): void {
  const path = '/mlflow-artifacts/artifacts';
  routes.rpc('GET', path, (message) => {
    const entries = artifacts.list(artifacts.locationOf(), message.text('path') ?? '');
    return { files: encodeList(entries.map((entry) => encodeEntry(entry, basename(entry.path)))) };
  });
  routes.raw('PUT', `${path}/*`, async (request, reply) => {
    if (pathOf(request) === '') return answerNoSuchEndpoint(reply);
    await artifacts.write(pathOf(request), Readable.from(bodyOf(request)));
    await tracking.artifactWritten(pathOf(request));
    return answerJson(reply, 200, {});
  });
  routes.raw('GET', `${path}/*`, (request, reply) =>
    pathOf(request) === '' ? answerNoSuchEndpoint(reply) : sendFile(reply, artifacts, pathOf(request)),
  );
  routes.raw('DELETE', `${path}/*`, (request, reply) => {
    if (pathOf(request) === '') return answerNoSuchEndpoint(reply);
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
    refuse('Multipart download is not supported for the current artifact repository'),
  );
}

function registerListsAndDownloads(routes: DialectRoutes, options: ArtifactRouteOptions): void {
  const { artifacts, tracking, registry } = options;
  const list = (uri: string, path: string) => ({
    root_uri: uri,
    files: encodeList(artifacts.list(uri, path).map((entry) => encodeEntry(entry, entry.path))),
  });
  routes.rpc('GET', '/mlflow/artifacts/list', (message) => {
    const path = readPath(message, 'path');
    return list(tracking.run(readRunId(message)).artifactUri, path);
  });
  routes.rpc('POST', '/mlflow/artifacts/presigned-upload-url', (message) => {
    const runId = message.requiredText('run_id');
    readRequiredPath(message, 'path');
    const scheme = /^[^:]*/.exec(tracking.run(runId).artifactUri)?.[0];
    throw new SlipwayError('invalidParameter', {
      detail: `Presigned upload is not supported for runs with proxied artifact storage (artifact URI scheme: ${scheme}). This endpoint requires a run with a direct cloud storage artifact URI.`,
    });
  });
  routes.rpc('GET', '/mlflow/logged-models/{model_id}/artifacts/directories', (message) => {
    const path = readPath(message, 'artifact_directory_path');
    return list(tracking.loggedModel(message.requiredText('model_id')).artifactUri, path);
  });
  routes.raw('GET', '/mlflow/logged-models/{model_id}/artifacts/files', (request, reply) => {
    const message = queryOf(request);
    const path = readRequiredPath(message, 'artifact_file_path');
    const uri = tracking.loggedModel(message.requiredText('model_id')).artifactUri;
    return sendFile(reply, artifacts, artifacts.pathOf(uri, path));
  });
  routes.plain('GET', '/get-artifact', (request, reply) => {
    const message = queryOf(request);
    const path = readRequiredPath(message, 'path');
    const uri = tracking.run(readRunId(message)).artifactUri;
    return sendFile(reply, artifacts, artifacts.pathOf(uri, path));
  });
  for (const major of [2, 3]) {
    routes.plain('GET', `/ajax-api/${major}.0/mlflow/get-trace-artifact`, (request, reply) => {
      const message = queryOf(request);
      const attachment = readPath(message, 'path');
      const path = tracking.traceFilePath(message.requiredText('request_id'), attachment);
      return sendFile(reply, artifacts, path);
    });
  }
  routes.plain('GET', '/model-versions/get-artifact', (request, reply) => {
    const message = queryOf(request);
    const path = readRequiredPath(message, 'path');
    const version = readVersionNumber(message.requiredText('version'));
    const uri = registry.versionFilesUri(message.requiredText('name'), version);
    return sendFile(reply, artifacts, artifacts.pathOf(uri, path));
  });
}

/** What MLflow's web pages use to add a small file to a run. */
function registerUpload(
  routes: DialectRoutes,
  { artifacts, tracking }: Pick<ArtifactRouteOptions, 'artifacts' | 'tracking'>,
): void {
  routes.plain('POST', '/ajax-api/2.0/mlflow/upload-artifact', async (request, reply) => {
    const message = queryOf(request);
    const runId = message.text('run_uuid');
    if (!runId) throw invalid('Request must specify run_uuid.');
    if (!message.text('path')) throw invalid('Request must specify path.');
    const path = readPath(message, 'path');
    const data = await readUpload(request);
    const target = artifacts.pathOf(tracking.run(runId).artifactUri, path);
    await artifacts.write(target, Readable.from([data]));
    await tracking.artifactWritten(target);
    return reply.header('content-type', 'application/json').send(Buffer.alloc(0));
  });
}

/** Bytes of a file that comes through the web pages. */
const largestUpload = 10 * 1024 * 1024;

async function readUpload(request: FastifyRequest): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of bodyOf(request)) {
    size += piece.length;
    if (size > largestUpload) throw invalid('Artifact size is too large. Max size is 10MB.');
    pieces.push(piece);
  }
  if (size === 0) throw invalid('Request must specify data.');
  return Buffer.concat(pieces);
}

/** A path below a run or model, checked before anything is looked up; empty when the message has none. */
function readPath(message: Message, name: string): string {
  return artifactSegments(message.text(name) ?? '').join('/');
}

function readRequiredPath(message: Message, name: string): string {
  message.requiredText(name);
  return readPath(message, name);
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
  const plain = name
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .replace(/[^\x20-\x7e]|["\\%]/g, '_');
  const encoded = encodeURIComponent(name).replace(
    /['()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  const quoted = /^[\w!#$&'*+.^`|~-]+$/.test(plain) ? plain : `"${plain}"`;
  return plain === name
    ? `attachment; filename=${quoted}`
    : `attachment; filename=${quoted}; filename*=UTF-8''${encoded}`;
}

/** Like MLflow, it says no size of a folder or an empty file. */
function encodeEntry(entry: ArtifactEntry, path: string): object {
  return { path, is_dir: entry.isDirectory, file_size: entry.size || undefined };
}

function basename(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function pathOf(request: FastifyRequest): string {
  const path = isFields(request.params) ? request.params['*'] : undefined;
  return typeof path === 'string' ? path : '';
}
