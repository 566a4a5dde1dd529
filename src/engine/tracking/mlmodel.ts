import { lstatSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { SlipwayError } from '../../protocol/errors.ts';
import { parseJsonOrNull } from './jsonText.ts';

/** What the `MLmodel` file of a logged model says (MLflow, "Model format"). */
export interface Mlmodel {
  /** Settings by flavour name, such as `{ onnx: { data: 'model.onnx' } }`. */
  readonly flavors: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly modelId: string | null;
  readonly runId: string | null;
  readonly mlflowVersion: string | null;
  readonly signature: ModelSignature | null;
  /** Files of the logged input example, relative to the folder, the form that MLflow's servers take first. */
  readonly inputExampleFiles: readonly string[];
}

/** Columns or tensors in order; null where the signature says nothing. */
export interface ModelSignature {
  readonly inputs: readonly SignatureField[] | null;
  readonly outputs: readonly SignatureField[] | null;
}

export interface SignatureField {
  /** Null for the one unnamed tensor. */
  readonly name: string | null;
  /** MLflow's type, such as "double", "string" or "tensor". */
  readonly type: string;
  readonly required: boolean;
  /** Of a tensor: its numpy type and shape, -1 being any length. */
  readonly tensor: { readonly dtype: string; readonly shape: readonly number[] } | null;
}

const largestFileBytes = 4 * 1024 * 1024;

const text = z.string().nullish().catch(null);
const fileSchema = z.object({
  flavors: z.record(z.string(), z.record(z.string(), z.unknown()).catch({})).catch({}),
  model_id: text,
  run_id: text,
  mlflow_version: text,
  signature: z.object({ inputs: text, outputs: text }).nullish().catch(null),
  saved_input_example_info: z.object({ serving_input_path: text, artifact_path: text }).nullish().catch(null),
});
const fieldsSchema = z.array(
  z.object({
    name: z.string().nullish(),
    type: z.string(),
    required: z.boolean().default(true),
    'tensor-spec': z.object({ dtype: z.string(), shape: z.array(z.number()) }).nullish(),
  }),
);

/**
 * Reads the `MLmodel` file in a model's folder; null when there is none. Nothing in it is run: YAML tags and aliases
 * are not followed.
 *
 * @throws SlipwayError `invalidParameter` when the file is not what MLflow writes.
 */
export function readMlmodel(folder: string): Mlmodel | null {
  const file = join(folder, 'MLmodel');
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (!found?.isFile()) return null;
  if (found.size > largestFileBytes) throw unreadable(file, 'it is too large');
  const parsed = fileSchema.safeParse(parseYaml(file));
  if (!parsed.success) throw unreadable(file, 'it is no map');
  const { flavors, signature, saved_input_example_info: example, ...rest } = parsed.data;
  return {
    flavors,
    modelId: rest.model_id ?? null,
    runId: rest.run_id ?? null,
    mlflowVersion: rest.mlflow_version ?? null,
    signature: signature
      ? { inputs: parseFields(signature.inputs), outputs: parseFields(signature.outputs) }
      : null,
    inputExampleFiles: [example?.serving_input_path, example?.artifact_path].flatMap((path) => path || []),
  };
}

/**
 * The flavour names of the model in a folder; none when its `MLmodel` file is missing or cannot be read. For lists,
 * where one bad file must not hide the others; `readMlmodel` says what is wrong with it.
 */
export function flavorNames(folder: string): readonly string[] {
  try {
    return Object.keys(readMlmodel(folder)?.flavors ?? {});
  } catch (error) {
    if (error instanceof SlipwayError) return [];
    throw error;
  }
}

function parseYaml(file: string): unknown {
  try {
    return parse(readFileSync(file, 'utf8'), { maxAliasCount: 0, schema: 'core', logLevel: 'error' });
  } catch (error) {
    throw unreadable(file, error instanceof Error ? error.message : String(error));
  }
}

/** A signature's side is a string of JSON inside the YAML. One that cannot be read counts as none. */
function parseFields(json: string | null | undefined): readonly SignatureField[] | null {
  if (!json) return null;
  const parsed = fieldsSchema.safeParse(parseJsonOrNull(json));
  if (!parsed.success) return null;
  return parsed.data.map((field) => ({
    name: field.name ?? null,
    type: field.type,
    required: field.required,
    tensor: field['tensor-spec'] ?? null,
  }));
}

function unreadable(file: string, detail: string): SlipwayError {
  return new SlipwayError('invalidParameter', { detail: `The file ${file} cannot be read: ${detail}` });
}
