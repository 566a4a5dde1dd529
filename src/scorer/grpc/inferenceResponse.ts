import { writeBinaryTensor } from '../../inference/binaryTensors.ts';
import { missingText, type Tensor } from '../../inference/datatypes.ts';
import { badRequest } from '../../inference/problem.ts';
import type { LoadedVersion } from '../modelRepository.ts';
import { classLabelsText } from '../protocols/openInferenceAnswer.ts';
import type { Inference } from '../protocols/openInferenceQuestion.ts';
import { type InferParameter, type ModelInferResponse, tensorContents } from './inferenceMessages.ts';
import { contentsMember, type GrpcQuestion } from './inferenceRequest.ts';

/**
 * What a version answered, as a message. Outputs are bytes, as Triton gives them to every client, unless the request
 * has the parameter `binary_data_output` with the value false.
 *
 * @throws RequestProblem 400 when an output has no typed form.
 */
export function inferResponse(
  { name, version }: LoadedVersion,
  { id, typedOutput }: GrpcQuestion,
  { outputs }: Inference,
): ModelInferResponse {
  return {
    model_name: name,
    model_version: String(version),
    id: id ?? '',
    parameters: [],
    outputs: outputs.map(({ name: output, tensor, labels }) => ({
      name: output,
      datatype: tensor.datatype,
      shape: tensor.shape,
      parameters: labels ? [{ key: 'class_labels', value: textParameter(classLabelsText(labels)) }] : [],
      contents: typedOutput ? typedContents(output, tensor) : null,
    })),
    raw_output_contents: typedOutput ? [] : outputs.map(({ tensor }) => writeBinaryTensor(tensor)),
  };
}

const noParameter: InferParameter = {
  bool_param: undefined,
  int64_param: undefined,
  string_param: undefined,
  double_param: undefined,
  uint64_param: undefined,
};

function textParameter(value: string): InferParameter {
  return { ...noParameter, string_param: value };
}

/** A parameter that is true or false. */
export function truthParameter(value: boolean): InferParameter {
  return { ...noParameter, bool_param: value };
}

const noContents = tensorContents.decode(Buffer.alloc(0));

function typedContents(name: string, { datatype, data }: Tensor) {
  const member = contentsMember(datatype);
  if (!member)
    throw badRequest(`Output "${name}": ${datatype} has no typed contents; leave out "binary_data_output".`);
  const values = Array.from<number | bigint | string, number | bigint | boolean | Uint8Array>(
    data,
    (value) => {
      if (typeof value === 'string') return Buffer.from(value === missingText ? '' : value);
      return datatype === 'BOOL' ? value !== 0 : value;
    },
  );
  return { ...noContents, [member]: values };
}
