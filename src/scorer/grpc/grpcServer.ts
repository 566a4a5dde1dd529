import type { Socket } from 'node:net';
import {
  logVerbosity,
  Metadata,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type sendUnaryData,
  setLogVerbosity,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Access } from '../access.ts';
import type { CountedEndpoint } from '../countedVersions.ts';
import { createOpenConnections } from '../openConnections.ts';
import type { Outcome } from '../server.ts';
import { variantHeader } from '../trafficSplit.ts';
import { type DescribingMethod, describingMethods } from './describingService.ts';
import { callHeaders, createDoorkeeper } from './doorkeeper.ts';
import { createHealthService, healthServiceName } from './healthService.ts';
import { modelInferResponse } from './inferenceMessages.ts';
import { createPredictionStreams, type PredictionStreams } from './predictionStreams.ts';
import {
  createPredictions,
  type PredictionAnswer,
  type Predictions,
  type PredictionsOptions,
  problemOf,
} from './predictions.ts';
import { grpcStatus } from './statuses.ts';

export interface GrpcServerOptions extends CountedEndpoint {
  readonly access: Access;
  readonly limits: {
    /** Bytes of a message. */
    readonly bodyBytes: number;
    /** Predictions that may be under way at a time. */
    readonly requests: number;
    readonly requestMilliseconds: number;
  };
  /** Told after each prediction was answered, refused ones included, with statuses of HTTP. */
  readonly admission: PredictionsOptions['admission'];
  readonly predicted: (outcome: Outcome) => void;
  /** Told what failed that should not. */
  readonly unforeseen: (error: unknown) => void;
}

export interface GrpcServer {
  /** Answers what comes over a connection that somebody accepted. */
  take(connection: Socket): void;
  /** Takes no new calls, answers what is under way, at most for so long, and ends. */
  drain(milliseconds: number): Promise<void>;
}

/** A connection may have so many calls under way even where fewer predictions are allowed. */
const mostStreams = 128;

/** How long a client may take to close a connection that is over. */
const hangUpMilliseconds = 500;

const serviceName = 'inference.GRPCInferenceService';

/**
 * The Open Inference Protocol V2 over gRPC
 * (https://github.com/kserve/open-inference-protocol/blob/main/specification/protocol/inference_grpc.md), with Triton's
 * extensions as over HTTP and its stream of predictions; beside it, the health checks of gRPC. Methods that are not offered, such as those for shared memory,
 * are UNIMPLEMENTED.
 */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { models, limits, admission, predicted, unforeseen } = options;
  // What it would write on the standard error is in the errors that it gives.
  setLogVerbosity(logVerbosity.NONE);
  const methods = describingMethods(options);
  const predict = createPredictions({ models, requests: limits.requests, admission, predicted, unforeseen });
  const streams = createPredictionStreams(predict);
  const server = new Server({
    'grpc.max_receive_message_length': limits.bodyBytes,
    'grpc.max_send_message_length': -1,
    // By connection: what comes beyond waits at the client, and is not refused as it would be here.
    'grpc.max_concurrent_streams': Math.max(mostStreams, limits.requests),
    interceptors: [
      createDoorkeeper({
        access: options.access,
        isOpen: (path) =>
          path.startsWith(`/${healthServiceName}/`) ||
          (methods[path.slice(path.lastIndexOf('/') + 1)]?.open ?? false),
        requestMilliseconds: limits.requestMilliseconds,
      }),
    ],
  });
  const implementation = implement(methods, predict, streams, unforeseen);
  const health = createHealthService(models, [serviceName], unforeseen);
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  for (const [service, offered] of [
    [serviceName, implementation],
    [healthServiceName, health.implementation],
  ] as const) {
    server.addService(serviceDefinition(service, Object.keys(offered)), offered);
  }
  const connections = createOpenConnections();
  return {
    take(connection) {
      connections.add(connection);
      injector.injectConnection(connection);
    },
    async drain(milliseconds) {
      const deadline = setTimeout(() => server.forceShutdown(), milliseconds);
      // Its last call is answered then. A client that does not hang up is not waited for.
      for (const connection of connections) {
        connection.once('finish', () => setTimeout(() => connection.destroy(), hangUpMilliseconds).unref());
      }
      const shut = new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      streams.end();
      health.end();
      await shut;
      // It calls back while calls are under way: a server of Node tells its sessions to close where it is closed, and
      // the library takes them for closed then.
      await connections.closed();
      clearTimeout(deadline);
    },
  };
}

const streamingMethod = 'ModelStreamInfer';
const watchingMethod = 'Watch';

/** Messages come and go as bytes, so that one that cannot be read is answered as every other bad request. */
function serviceDefinition(service: string, names: readonly string[]) {
  const same = (bytes: Buffer) => bytes;
  return Object.fromEntries(
    names.map((name) => [
      name,
      {
        path: `/${service}/${name}`,
        requestStream: name === streamingMethod,
        responseStream: name === streamingMethod || name === watchingMethod,
        requestSerialize: same,
        requestDeserialize: same,
        responseSerialize: same,
        responseDeserialize: same,
      },
    ]),
  );
}

type UnaryCall = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

function implement(
  methods: Readonly<Record<string, DescribingMethod>>,
  predict: Predictions,
  streams: PredictionStreams,
  unforeseen: (error: unknown) => void,
): UntypedServiceImplementation {
  const described = Object.entries(methods).map(([name, { answer }]) => [
    name,
    ({ request }: UnaryCall, callback: Answer) => {
      answer(request).then(
        (message) => callback(null, message),
        (error: unknown) => {
          const problem = problemOf(error, unforeseen);
          callback({ code: grpcStatus(problem.status), details: problem.message });
        },
      );
    },
  ]);
  return {
    ...Object.fromEntries(described),
    ModelInfer: (call: UnaryCall, callback: Answer) => void answerInfer(call, callback, predict),
    [streamingMethod]: (call: ServerDuplexStream<Buffer, Buffer>) =>
      streams.answer(call, callHeaders(call.metadata, call.getHost())),
  };
}

async function answerInfer(call: UnaryCall, callback: Answer, predict: Predictions): Promise<void> {
  const answer = await predict(call.request, callHeaders(call.metadata, call.getHost()));
  const { response, problem } = answer;
  call.sendMetadata(answerMetadata(answer));
  if (response) callback(null, modelInferResponse.encode(response));
  else callback({ code: grpcStatus(problem?.status ?? 500), details: problem?.message ?? '' });
  answer.answered();
}

/** Tells the same as the headers of an answer over HTTP. */
function answerMetadata({ requestId, chosen }: PredictionAnswer): Metadata {
  const metadata = new Metadata();
  metadata.set('x-request-id', requestId.replace(/[^\x20-\x7e]/g, '?').slice(0, 256));
  if (chosen && chosen.variant !== 'version') metadata.set(variantHeader, chosen.variant);
  return metadata;
}
