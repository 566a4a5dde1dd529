import { createServer } from 'node:net';
import { loadModel } from '../../src/inference/model.ts';
import { loadRuntime } from '../../src/inference/runtime.ts';
import { scorerModel, type TrafficSplitInput, trafficSplit } from '../../src/protocol/scorer.ts';
import { createAccess } from '../../src/scorer/access.ts';
import { createGrpcServer } from '../../src/scorer/grpc/grpcServer.ts';
import { createInferenceCounters, type InferenceCounters } from '../../src/scorer/inferenceCounters.ts';
import { listen } from '../../src/scorer/listening.ts';
import { createLoadedModels, type LoadedModels } from '../../src/scorer/loadedModels.ts';
import { allProtocols } from '../../src/scorer/protocols/allProtocols.ts';
import { type Outcome, startServer } from '../../src/scorer/server.ts';
import { modelFile } from './scorerProcess.ts';

/** A model to serve: its version, and the bytes of an ONNX file or its path. */
export interface ServedModel {
  readonly name: string;
  readonly version: number;
  readonly model: Buffer | string;
  readonly labels?: readonly string[];
}

export interface InferenceServerOptions {
  readonly bodyBytes?: number;
  readonly requests?: number;
  readonly requestMilliseconds?: number;
  readonly token?: string | null;
  readonly traffic?: TrafficSplitInput;
}

/** Both doors of the Open Inference Protocol, in this process. */
export interface InferenceServer {
  /** Such as `127.0.0.1:8000`. */
  readonly http: string;
  readonly grpc: string;
  readonly token: string;
  readonly models: LoadedModels;
  readonly counters: InferenceCounters;
  /** What was told of predictions, in order. */
  readonly outcomes: Outcome[];
  /** What failed that should not. */
  readonly unforeseen: unknown[];
  drainGrpc(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

export const serverToken = 'a token for the tests';

/** Serves models over HTTP and gRPC on free ports. */
export async function startInferenceServer(
  folder: string,
  served: readonly ServedModel[],
  options: InferenceServerOptions = {},
): Promise<InferenceServer> {
  const runtime = await loadRuntime();
  const counters = createInferenceCounters();
  const models = createLoadedModels({
    main: served[0]?.name ?? '',
    async open({ name, version, source }) {
      if (source.type !== 'onnx') throw new Error('Only ONNX files are served here.');
      return loadModel(runtime, { name, version, file: source.file });
    },
    batchRows: 1024,
    executed: counters.executed,
  });
  for (const { name, version, model, labels = [] } of served) {
    const file = await modelFile(folder, model);
    await models.load(scorerModel.parse({ name, version, labels, source: { type: 'onnx', file } }));
  }
  if (options.traffic) models.route(trafficSplit.parse(options.traffic));
  const outcomes: Outcome[] = [];
  const unforeseen: unknown[] = [];
  const limits = {
    bodyBytes: options.bodyBytes ?? 1024 * 1024,
    requests: options.requests ?? 64,
    requestMilliseconds: options.requestMilliseconds ?? 5000,
  };
  const shared = {
    models,
    counters,
    siblings: null,
    access: createAccess({
      host: '127.0.0.1',
      token: options.token === undefined ? serverToken : options.token,
    }),
    admission: () => null,
    predicted(outcome: Outcome) {
      outcomes.push(outcome);
      counters.requests.answered(outcome);
    },
    unforeseen: (error: unknown) => unforeseen.push(error),
  };
  const rest = await startServer({
    ...shared,
    ...limits,
    place: { host: '127.0.0.1', port: 0, door: null },
    protocols: allProtocols({ ...shared, feedback: null }),
  });
  const grpc = createGrpcServer({ ...shared, limits });
  const grpcSocket = createServer((connection) => grpc.take(connection));
  const grpcPort = await listen(grpcSocket, { host: '127.0.0.1', port: 0, door: null });
  return {
    http: `127.0.0.1:${rest.port}`,
    grpc: `127.0.0.1:${grpcPort}`,
    token: serverToken,
    models,
    counters,
    outcomes,
    unforeseen,
    drainGrpc(milliseconds) {
      grpcSocket.close();
      return grpc.drain(milliseconds);
    },
    async close() {
      models.drain();
      grpcSocket.close();
      await Promise.all([rest.drain(1000, 0), grpc.drain(1000)]);
      await models.close();
    },
  };
}
