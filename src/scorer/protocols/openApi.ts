import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { guardedRoute, json, type Protocol } from '../routing.ts';
import { serverVersion } from '../serverIdentity.ts';
import { invocations, modelPaths, type Paths } from './openApiModel.ts';
import { type OperationDescription, operation } from './openApiPaths.ts';
import { type JsonSchema, sharedSchemas } from './openApiSchemas.ts';

/** `GET /openapi.json`: an OpenAPI 3.1 document of what the models that are loaded now can be asked, and how. */
export function openApi(models: ModelRepository): Protocol {
  const route = guardedRoute(() => json(200, JSON.stringify(openApiDocument(models))));
  return {
    find: (path) => (path.length === 1 ? route : null),
    owns: (path) => path.length === 1 && path[0] === 'openapi.json',
    nothingAt: (path) => `There is nothing at /${path.join('/')}.`,
    problem: ({ status, message }) => json(status, JSON.stringify({ error: message })),
  };
}

/** The document. Its examples are accepted as they are; that of feedback where the endpoint keeps a log. */
export function openApiDocument(models: ModelRepository): JsonSchema {
  const main = models.stable(models.main);
  const stable = models.names().flatMap((name) => models.stable(name) ?? []);
  const numbered = models.names().flatMap((name) => models.versions(name));
  const places = [
    ...stable.map((version) => ({ version, byNumber: false })),
    ...numbered.map((version) => ({ version, byNumber: true })),
  ];
  const paths: Paths = Object.assign({}, serverPaths(main), ...places.map(modelPaths));
  return {
    openapi: '3.1.1',
    info: {
      title: `Slipway endpoint of ${models.main}`,
      version: serverVersion,
      summary:
        'Predictions over the Open Inference Protocol, TensorFlow Serving, KServe V1, MLflow and SageMaker.',
    },
    servers: [{ url: '/' }],
    // An endpoint may have been started without a token.
    security: [{ token: [] }, {}],
    tags: [{ name: 'server' }, ...models.names().map((name) => ({ name }))],
    paths,
    components: {
      schemas: sharedSchemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

type ServerOperation = Omit<OperationDescription, 'id' | 'tag'>;

const text = { answerType: 'text/plain', answer: { type: 'string' } } as const;

const gets: Readonly<Record<string, ServerOperation>> = {
  '/': { summary: 'Whether the server is alive (KServe V1)', open: true },
  '/ping': { summary: 'Whether the server takes requests (MLflow, SageMaker)', open: true },
  '/health': { summary: 'Whether the server takes requests (MLflow)', open: true },
  '/version': { summary: 'The version of Slipway', open: true },
  '/v2': { summary: 'Name and extensions of the server (Open Inference Protocol)' },
  '/v2/health/live': { summary: 'Whether the server is alive (Open Inference Protocol)', open: true },
  '/v2/health/ready': { summary: 'Whether the server takes requests (Open Inference Protocol)', open: true },
  '/v2/models': { summary: 'Names of the models (KServe)' },
  '/v1/models': { summary: 'Names of the models (KServe V1)' },
  '/models': { summary: 'The models (SageMaker)', mlflowErrors: true },
  '/metrics': { summary: 'Metrics for Prometheus', ...text },
  '/openapi.json': { summary: 'This document' },
  '/try': {
    summary: 'A page to try the models in a browser',
    open: true,
    answerType: 'text/html',
    answer: { type: 'string' },
  },
};

const oneFeedback: JsonSchema = {
  type: 'object',
  required: ['request_id'],
  properties: {
    request_id: { type: 'string', minLength: 1, maxLength: 256 },
    truth: { type: ['array', 'null'], description: 'The true outcome, one element for each row.' },
    reward: { type: ['number', 'null'], description: 'Larger the better the answer was.' },
  },
  additionalProperties: false,
};

function serverPaths(main: LoadedVersion | null): Paths {
  const tag = 'server';
  const get = Object.entries(gets).map(([path, description]) => {
    const id = `get_${path.replace(/[^a-z0-9]+/g, '_')}`;
    return [path, { get: operation({ ...description, id, tag }) }] as const;
  });
  const feedback = operation({
    id: 'feedback',
    tag,
    summary: 'Tell later what the true outcome of a request was, or how good its answer',
    status: '202',
    answer: { type: 'object', required: ['accepted'], properties: { accepted: { type: 'integer' } } },
    body: {
      'application/json': {
        schema: { anyOf: [oneFeedback, { type: 'array', items: oneFeedback }] },
        examples: { reward: { request_id: 'the x-request-id of an answer', reward: 1 } },
      },
    },
  });
  return {
    ...Object.fromEntries(get),
    '/v2/feedback': { post: feedback },
    ...(main ? { '/invocations': { post: invocations(main, 'invocations', tag, 'MLflow, SageMaker') } } : {}),
  };
}
