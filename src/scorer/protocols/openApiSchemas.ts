import { columnNames } from '../../inference/columns.ts';
import type { Datatype } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import type { Predictor } from '../../inference/predictor.ts';

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 takes it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

const float = { $ref: '#/components/schemas/Float' };
const longInteger = { $ref: '#/components/schemas/LongInteger' };

/** Schemas that the others refer to. */
export const sharedSchemas: Readonly<Record<string, JsonSchema>> = {
  Float: {
    description: 'A number; null is NaN, and the infinities are written as text.',
    anyOf: [{ type: 'number' }, { type: 'null' }, { enum: ['NaN', 'Infinity', '-Infinity'] }],
  },
  LongInteger: {
    description: 'An integer of 64 bits; beyond 2^53 as a string of digits.',
    anyOf: [{ type: 'integer' }, { type: 'string', pattern: '^-?[0-9]{1,20}$' }],
  },
  Error: { type: 'object', required: ['error'], properties: { error: { type: 'string' } } },
  MlflowError: {
    type: 'object',
    required: ['error_code', 'message'],
    properties: { error_code: { type: 'string' }, message: { type: 'string' } },
  },
  Parameters: {
    type: 'object',
    additionalProperties: { type: ['string', 'number', 'boolean', 'null'] },
  },
};

function integer(minimum: number, maximum: number): JsonSchema {
  return { type: 'integer', minimum, maximum };
}

const elements: Readonly<Record<Datatype, JsonSchema>> = {
  BOOL: { type: 'boolean' },
  INT8: integer(-128, 127),
  INT16: integer(-32_768, 32_767),
  INT32: integer(-2_147_483_648, 2_147_483_647),
  INT64: longInteger,
  UINT8: integer(0, 255),
  UINT16: integer(0, 65_535),
  UINT32: integer(0, 4_294_967_295),
  UINT64: longInteger,
  FP16: float,
  FP32: float,
  FP64: float,
  BYTES: { type: 'string' },
};

/** A tensor as nested lists. Without a known rank it may be anything. */
export function nestedSchema({ datatype, shape, nullable }: TensorSpecification): JsonSchema {
  if (shape === null) return {};
  const element = nullable ? { anyOf: [elements[datatype], { type: 'null' }] } : elements[datatype];
  return shape.reduceRight<JsonSchema>(
    (items, size) => ({
      type: 'array',
      items,
      ...(size >= 0 ? { minItems: size, maxItems: size } : {}),
    }),
    element,
  );
}

/** Tensors by name, as nested lists. */
export function tensorsSchema(inputs: readonly TensorSpecification[]): JsonSchema {
  return {
    type: 'object',
    required: inputs.filter(({ optional }) => !optional).map(({ name }) => name),
    properties: Object.fromEntries(inputs.map((input) => [input.name, nestedSchema(input)])),
  };
}

/** A row of the model's table as an object; null when its columns have no names. */
export function recordSchema({ inputs, layout }: Predictor): JsonSchema | null {
  const names = layout && columnNames(layout);
  if (!layout || !names) return null;
  const properties = layout.places.map(({ input }, index) => {
    const specification = inputs[input];
    const element = elements[specification?.datatype ?? 'BYTES'];
    return [names[index] ?? '', specification?.nullable ? { anyOf: [element, { type: 'null' }] } : element];
  });
  const required = layout.places.flatMap(({ input }, index) =>
    inputs[input]?.optional ? [] : [names[index] ?? ''],
  );
  return { type: 'object', required, properties: Object.fromEntries(properties) };
}

/** A body of the Open Inference Protocol for this model. */
export function inferSchema({ inputs, outputs }: Predictor): JsonSchema {
  const required = inputs.filter(({ optional }) => !optional);
  return {
    type: 'object',
    required: ['inputs'],
    properties: {
      id: { type: 'string' },
      parameters: { $ref: '#/components/schemas/Parameters' },
      inputs: {
        type: 'array',
        minItems: required.length,
        maxItems: inputs.length,
        items: inputs.length === 1 ? inferTensor(inputs[0]) : { anyOf: inputs.map(inferTensor) },
      },
      outputs: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name'],
          properties: {
            name: { enum: outputs.map(({ name }) => name) },
            parameters: { $ref: '#/components/schemas/Parameters' },
          },
        },
      },
    },
  };
}

function inferTensor(input: TensorSpecification | undefined): JsonSchema {
  if (!input) return {};
  const { name, datatype, shape } = input;
  const sizes = shape?.map((size) => (size === -1 ? { type: 'integer', minimum: 0 } : { const: size }));
  return {
    type: 'object',
    required: ['name', 'datatype', 'shape', 'data'],
    properties: {
      name: { const: name },
      datatype: { const: datatype },
      shape: {
        type: 'array',
        ...(sizes ? { minItems: sizes.length, maxItems: sizes.length } : {}),
        ...(sizes && sizes.length > 0 ? { prefixItems: sizes } : { items: { type: 'integer', minimum: 0 } }),
      },
      parameters: { $ref: '#/components/schemas/Parameters' },
      data: { description: 'The elements row by row, flat or nested as the shape is.', type: 'array' },
    },
  };
}
