import { describeTensor } from '../../inference/model.ts';
import type { Predictor } from '../../inference/predictor.ts';
import type { TensorDescription } from '../../protocol/tensor.ts';
import type { LoadedVersion, ModelRepository } from '../modelRepository.ts';
import { isJsonObject } from '../requestBody.ts';

/** A version as the try-it page asks it. */
export interface TriedVersion {
  readonly name: string;
  readonly version: number;
  /** Is asked when nobody names a version. */
  readonly isStable: boolean;
  /** Where the Open Inference Protocol asks it. */
  readonly path: string;
  /** One field each; null when the model takes no table, and its request is written as JSON. */
  readonly fields: readonly TriedField[] | null;
  readonly inputs: readonly TensorDescription[];
  /** A request that is accepted, as JSON text. */
  readonly example: string;
}

export interface TriedField {
  readonly title: string;
  /** The place of its tensor in `inputs`. */
  readonly input: number;
  readonly datatype: string;
  /** Of the example, as JSON text. */
  readonly value: string;
}

export function triedVersions(models: ModelRepository): readonly TriedVersion[] {
  return models.names().flatMap((name) => {
    const stable = models.stable(name);
    return models.versions(name).map((version) => triedVersion(version, version === stable));
  });
}

function triedVersion({ name, version, predictor }: LoadedVersion, isStable: boolean): TriedVersion {
  const model = `/v2/models/${encodeURIComponent(name)}`;
  return {
    name,
    version,
    isStable,
    path: isStable ? `${model}/infer` : `${model}/versions/${version}/infer`,
    fields: fieldsOf(predictor),
    inputs: predictor.inputs.map(describeTensor),
    example: predictor.exampleRequest,
  };
}

/** More columns than one would fill in by hand. */
const mostFields = 200;

function fieldsOf({ inputs, layout, exampleRequest }: Predictor): readonly TriedField[] | null {
  if (!layout || layout.places.length > mostFields) return null;
  const example: unknown = JSON.parse(exampleRequest);
  const tensors = isJsonObject(example) && Array.isArray(example.inputs) ? example.inputs : [];
  const fields = layout.places.map(({ input, offset, name }) => {
    const specification = inputs[input];
    const tensor: unknown = tensors.find((sent) => isJsonObject(sent) && sent.name === specification?.name);
    const data = isJsonObject(tensor) && Array.isArray(tensor.data) ? tensor.data : null;
    const title = name ?? `${specification?.name}[${offset}]`;
    const isThere = specification !== undefined && data !== null;
    const value = JSON.stringify(data?.[offset] ?? null);
    return isThere ? { title, input, datatype: specification.datatype, value } : null;
  });
  // An optional input that the example leaves out cannot be told from an empty field.
  return fields.every((field) => field !== null) ? fields : null;
}
