import {
  bool,
  bytes,
  type Decoded,
  double,
  entries,
  float,
  inner,
  inners,
  int32,
  int64,
  int64Number,
  many,
  maybe,
  message,
  one,
  text,
  uint32,
  uint64,
} from './protobuf.ts';

/**
 * The messages of a prediction over gRPC: names and numbers of the fields are those of the Open Inference Protocol
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/open_inference_grpc.proto), with what
 * Triton added to them.
 */

const inferParameter = message({
  bool_param: maybe(1, bool),
  int64_param: maybe(2, int64),
  string_param: maybe(3, text),
  double_param: maybe(4, double),
  uint64_param: maybe(5, uint64),
});
export type InferParameter = Decoded<typeof inferParameter>;

/** Elements row by row, in the member of their datatype. */
export const tensorContents = message({
  bool_contents: many(1, bool),
  int_contents: many(2, int32),
  int64_contents: many(3, int64),
  uint_contents: many(4, uint32),
  uint64_contents: many(5, uint64),
  fp32_contents: many(6, float),
  fp64_contents: many(7, double),
  bytes_contents: many(8, bytes),
});
export type TensorContents = Decoded<typeof tensorContents>;

const inferInputTensor = message({
  name: one(1, text),
  datatype: one(2, text),
  shape: many(3, int64Number),
  parameters: entries(4, inferParameter),
  contents: inner(5, tensorContents),
});

const inferRequestedOutputTensor = message({
  name: one(1, text),
  parameters: entries(2, inferParameter),
});

export const modelInferRequest = message({
  model_name: one(1, text),
  model_version: one(2, text),
  id: one(3, text),
  parameters: entries(4, inferParameter),
  inputs: inners(5, inferInputTensor),
  outputs: inners(6, inferRequestedOutputTensor),
  raw_input_contents: many(7, bytes),
});
export type ModelInferRequest = Decoded<typeof modelInferRequest>;

const inferOutputTensor = message({
  name: one(1, text),
  datatype: one(2, text),
  shape: many(3, int64Number),
  parameters: entries(4, inferParameter),
  contents: inner(5, tensorContents),
});

export const modelInferResponse = message({
  model_name: one(1, text),
  model_version: one(2, text),
  id: one(3, text),
  parameters: entries(4, inferParameter),
  outputs: inners(5, inferOutputTensor),
  raw_output_contents: many(6, bytes),
});
export type ModelInferResponse = Decoded<typeof modelInferResponse>;

export const modelStreamInferResponse = message({
  error_message: one(1, text),
  infer_response: inner(2, modelInferResponse),
});
