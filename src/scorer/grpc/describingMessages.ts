import { bool, entries, inner, inners, int32, int64Number, many, message, one, text } from './protobuf.ts';

/**
 * The messages by which the inference protocol tells of a server and its models over gRPC: names and numbers of the
 * fields are those of the Open Inference Protocol and of Triton's extensions
 * (https://github.com/triton-inference-server/common/blob/main/protobuf/grpc_service.proto). Integers without sign are
 * written here only, and as numbers.
 */

export const nothing = message({});

export const serverLiveResponse = message({ live: one(1, bool) });

export const readyResponse = message({ ready: one(1, bool) });

/** Of the questions for a model's readiness, metadata, configuration and statistics. */
export const modelRequest = message({ name: one(1, text), version: one(2, text) });

export const serverMetadataResponse = message({
  name: one(1, text),
  version: one(2, text),
  extensions: many(3, text),
});

const tensorMetadata = message({
  name: one(1, text),
  datatype: one(2, text),
  shape: many(3, int64Number),
});

export const modelMetadataResponse = message({
  name: one(1, text),
  versions: many(2, text),
  platform: one(3, text),
  inputs: inners(4, tensorMetadata),
  outputs: inners(5, tensorMetadata),
});

const configuredInput = message({
  name: one(1, text),
  data_type: one(2, int32),
  dims: many(4, int64Number),
});

const configuredOutput = message({
  name: one(1, text),
  data_type: one(2, int32),
  dims: many(3, int64Number),
});

export const modelConfigResponse = message({
  config: inner(
    1,
    message({
      name: one(1, text),
      platform: one(2, text),
      max_batch_size: one(4, int32),
      input: inners(5, configuredInput),
      output: inners(6, configuredOutput),
      backend: one(17, text),
    }),
  ),
});

const statisticDuration = message({ count: one(1, int64Number), ns: one(2, int64Number) });

const inferStatistics = message({
  success: inner(1, statisticDuration),
  fail: inner(2, statisticDuration),
  queue: inner(3, statisticDuration),
  compute_input: inner(4, statisticDuration),
  compute_infer: inner(5, statisticDuration),
  compute_output: inner(6, statisticDuration),
  cache_hit: inner(7, statisticDuration),
  cache_miss: inner(8, statisticDuration),
});

const inferBatchStatistics = message({
  batch_size: one(1, int64Number),
  compute_input: inner(2, statisticDuration),
  compute_infer: inner(3, statisticDuration),
  compute_output: inner(4, statisticDuration),
});

export const modelStatisticsResponse = message({
  model_stats: inners(
    1,
    message({
      name: one(1, text),
      version: one(2, text),
      last_inference: one(3, int64Number),
      inference_count: one(4, int64Number),
      execution_count: one(5, int64Number),
      inference_stats: inner(6, inferStatistics),
      batch_stats: inners(7, inferBatchStatistics),
    }),
  ),
});

export const repositoryIndexRequest = message({ repository_name: one(1, text), ready: one(2, bool) });

export const repositoryIndexResponse = message({
  models: inners(
    1,
    message({ name: one(1, text), version: one(2, text), state: one(3, text), reason: one(4, text) }),
  ),
});

/**
 * Of load and unload. Triton and KServe number the model's name differently: KServe has no name of a repository, and the
 * model's in its place. Of the parameters only the names matter here.
 */
export const repositoryControlRequest = message({
  repository_or_model_name: one(1, text),
  model_name: one(2, text),
  parameters: entries(3, nothing),
});

/** What KServe answers to load and unload; Triton's message has no fields. */
export const repositoryControlResponse = message({ model_name: one(1, text), is_done: one(2, bool) });
