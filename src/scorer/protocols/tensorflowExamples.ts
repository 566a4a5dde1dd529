import { columnNames } from '../../inference/columns.ts';
import { given, type Tensor } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import { badRequest } from '../../inference/problem.ts';
import { isJsonObject, type JsonObject } from '../requestBody.ts';
import {
  isListOf,
  onlyElement,
  type RequestForm,
  readTableFeeds,
  readTensorsByName,
} from './namedTensors.ts';
import { decodeBase64, isBase64Object } from './tensorflowJson.ts';

/**
 * The feeds of a `:classify` or `:regress` request of TensorFlow Serving: `examples`, each an object of features, and
 * an optional `context` of features that all examples share. A feature is a value or a flat list of values; it is a
 * column of the model, or one of its inputs. Features that the model does not know are left out.
 *
 * @throws RequestProblem 400 when there is no example, one lacks a feature, or a value does not fit.
 */
export function readExamples(body: JsonObject, form: RequestForm): readonly Tensor[] {
  const { context = {}, examples } = body;
  if (!isJsonObject(context)) {
    throw badRequest(`Example must be JSON object but got ${given(context)} as 'context'.`);
  }
  if (examples === undefined) throw badRequest("The key 'examples' is expected and was not found.");
  if (!Array.isArray(examples))
    throw badRequest(`Expecting 'examples' to be a list, got ${given(examples)}.`);
  if (examples.length === 0) throw badRequest("'examples' value is an empty list.");
  const merged = examples.map((example, index) => withContext(example, context, index));
  const columns = form.layout && columnNames(form.layout);
  if (columns?.some((name) => merged.some((example) => Object.hasOwn(example, name)))) {
    const datatypes = form.layout?.places.map(({ input }) => form.inputs[input]?.datatype) ?? [];
    const rows = merged.map((example, row) =>
      columns.map((name, index) =>
        plainValue(onlyElement(feature(example, name, row)), `Feature "${name}"`, datatypes[index]),
      ),
    );
    return readTableFeeds({ columns, rows }, form);
  }
  const members = form.inputs.map((input) => [
    input.name,
    merged.map((example, row) => inputFeature(feature(example, input.name, row), input)),
  ]);
  return readTensorsByName(Object.fromEntries(members), form);
}

function withContext(example: unknown, context: JsonObject, index: number): JsonObject {
  if (!isJsonObject(example)) {
    throw badRequest(`Example must be JSON object but got ${given(example)} at item ${index} of 'examples'.`);
  }
  const twice = Object.keys(context).find((name) => Object.hasOwn(example, name));
  if (twice !== undefined) {
    throw badRequest(`The feature "${twice}" is in 'context' and must not appear in example ${index} too.`);
  }
  return Object.fromEntries([...Object.entries(context), ...Object.entries(example)]);
}

function feature(example: JsonObject, name: string, row: number): unknown {
  if (!Object.hasOwn(example, name)) {
    throw badRequest(`The feature "${name}" is missing in example ${row} and in 'context'.`);
  }
  const value = example[name];
  const isFeature = Array.isArray(value) ? value.every(isFeatureValue) : isFeatureValue(value);
  if (isFeature) return value;
  throw badRequest(`Feature: ${name} of example ${row} has an element with unexpected JSON type.`);
}

function isFeatureValue(value: unknown): boolean {
  return value === null || typeof value !== 'object' || isBase64Object(value);
}

/** The values of an input's row; one of rank 1 takes a bare value. */
function inputFeature(value: unknown, { name, datatype, shape }: TensorSpecification): unknown {
  const values = (isListOf(value, isAnything) ? value : [value]).map((element) =>
    plainValue(element, `Feature "${name}"`, datatype),
  );
  return shape?.length === 1 ? onlyElement(values) : values;
}

function isAnything(_value: unknown): _value is unknown {
  return true;
}

/** Examples have no truth values: they are the integers 0 and 1, which a model of truths takes all the same. */
function plainValue(value: unknown, field: string, datatype: string | undefined): unknown {
  if (datatype === 'BOOL') return value === 0 || value === 1 ? value === 1 : value;
  return typeof value === 'boolean' ? Number(value) : decodeBase64(value, field);
}
