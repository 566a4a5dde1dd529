import type { LoadedVersion } from '../modelRepository.ts';
import { exampleRequests } from './exampleRequests.ts';
import { type BodyDescription, type Operation, operation } from './openApiPaths.ts';
import { inferSchema, type JsonSchema, nestedSchema, recordSchema, tensorsSchema } from './openApiSchemas.ts';

export type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** Where a version is asked. */
export interface Place {
  readonly version: LoadedVersion;
  /** Asked by its number, beside the addresses of the model without one. */
  readonly byNumber: boolean;
}

/** The addresses at which one version of a model is asked. */
export function modelPaths({ version, byNumber }: Place): Paths {
  const { name, predictor } = version;
  const examples = exampleRequests(predictor);
  const model = encodeURIComponent(name);
  const suffix = byNumber ? `/versions/${version.version}` : '';
  const id = `${name.replace(/[^A-Za-z0-9]+/g, '_')}${byNumber ? `_v${version.version}` : ''}`;
  const title = byNumber ? `version ${version.version} of ${name}` : name;
  const tag = name;
  const json = (schema: JsonSchema, named: Readonly<Record<string, unknown>>) => ({
    'application/json': { schema, examples: named },
  });
  const v1 = (method: string) => `/v1/models/${model}${suffix}:${method}`;
  const paths: Record<string, Record<string, Operation>> = {
    [`/v2/models/${model}${suffix}`]: {
      get: operation({ id: `metadata_${id}`, tag, summary: `Inputs and outputs of ${title}` }),
    },
    [`/v2/models/${model}${suffix}/ready`]: {
      get: operation({ id: `ready_${id}`, tag, summary: `Whether ${title} is ready` }),
    },
    [`/v2/models/${model}${suffix}/infer`]: {
      post: operation({
        id: `infer_${id}`,
        tag,
        summary: `Ask ${title} (Open Inference Protocol V2)`,
        body: json(inferSchema(predictor), { example: examples.infer }),
        answer: { type: 'object', required: ['model_name', 'outputs'] },
      }),
    },
    [`/v1/models/${model}${suffix}`]: {
      get: operation({
        id: `status_${id}`,
        tag,
        summary: `State of ${title} (TensorFlow Serving, KServe V1)`,
      }),
    },
    [`/v1/models/${model}${suffix}/metadata`]: {
      get: operation({ id: `signatures_${id}`, tag, summary: `Signatures of ${title} (TensorFlow Serving)` }),
    },
    [v1('predict')]: {
      post: operation({
        id: `predict_${id}`,
        tag,
        summary: `Ask ${title} (TensorFlow Serving, KServe V1)`,
        body: json(predictSchema(version), examples.predict),
        answer: { type: 'object' },
      }),
    },
  };
  for (const [method, body] of [
    ['classify', examples.classify],
    ['regress', examples.regress],
  ] as const) {
    if (!body) continue;
    paths[v1(method)] = {
      post: operation({
        id: `${method}_${id}`,
        tag,
        summary: `Ask ${title} to ${method} (TensorFlow Serving)`,
        body: json(examplesSchema, { examples: body }),
        answer: { type: 'object', required: ['results'] },
      }),
    };
  }
  if (!byNumber) {
    paths[`/models/${model}`] = {
      get: operation({
        id: `describe_${id}`,
        tag,
        summary: `Describe ${title} (SageMaker)`,
        mlflowErrors: true,
      }),
    };
    paths[`/models/${model}/invoke`] = { post: invocations(version, `invoke_${id}`, tag, 'SageMaker') };
  }
  return paths;
}

/** `POST /invocations` and its like, for a version. */
export function invocations(version: LoadedVersion, id: string, tag: string, protocol: string): Operation {
  const { predictor, name } = version;
  const examples = exampleRequests(predictor);
  const record = recordSchema(predictor);
  const text = (example: string): BodyDescription => ({ schema: { type: 'string' }, examples: { example } });
  return operation({
    id,
    tag,
    summary: `Ask ${name} (${protocol})`,
    mlflowErrors: true,
    answer: { type: 'object', required: ['predictions'] },
    body: {
      'application/json': {
        schema: {
          type: 'object',
          properties: {
            dataframe_split: {
              type: 'object',
              required: ['data'],
              properties: {
                index: { type: 'array' },
                columns: { type: 'array' },
                data: { type: 'array' },
              },
            },
            dataframe_records: { type: 'array', ...(record ? { items: record } : {}) },
            instances: { type: 'array' },
            inputs: {},
            params: { type: ['object', 'null'] },
          },
          oneOf: ['dataframe_split', 'dataframe_records', 'instances', 'inputs'].map((key) => ({
            required: [key],
          })),
        },
        examples: examples.invocations,
      },
      ...(examples.csv === null ? {} : { 'text/csv': text(examples.csv) }),
      ...(examples.jsonLines === null ? {} : { 'application/jsonlines': text(examples.jsonLines) }),
    },
  });
}

function predictSchema({ predictor }: LoadedVersion): JsonSchema {
  const [only] = predictor.inputs;
  const named = tensorsSchema(predictor.inputs);
  const record = recordSchema(predictor);
  return {
    type: 'object',
    properties: {
      signature_name: { type: 'string' },
      instances: { type: 'array', minItems: 1 },
      inputs: {
        anyOf: [
          named,
          ...(predictor.inputs.length === 1 && only ? [nestedSchema(only)] : []),
          ...(record ? [{ type: 'object', description: 'Columns by name, each a list.' }] : []),
        ],
      },
    },
    oneOf: [{ required: ['instances'] }, { required: ['inputs'] }],
  };
}

const examplesSchema: JsonSchema = {
  type: 'object',
  required: ['examples'],
  properties: {
    signature_name: { type: 'string' },
    context: { type: 'object' },
    examples: { type: 'array', minItems: 1, items: { type: 'object' } },
  },
};
