import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { ModelRepository } from '../modelRepository.ts';
import { decodeMessage, problemOf } from './predictions.ts';
import { int32, message, one, text } from './protobuf.ts';
import { grpcStatus } from './statuses.ts';

/** How whoever runs programs, such as Kubernetes, asks whether one can answer. */
export interface HealthService {
  readonly implementation: UntypedServiceImplementation;
  /** Tells those who watch that it ends. */
  end(): void;
}

export const healthServiceName = 'grpc.health.v1.Health';

/** Fields of `HealthCheckRequest` and `HealthCheckResponse`. */
const question = message({ service: one(1, text) });
const answer = message({ status: one(1, int32) });
const servingStatus = { serving: 1, notServing: 2, serviceUnknown: 3 } as const;

type Watch = ServerWritableStream<Buffer, Buffer>;

/**
 * The health checking protocol of gRPC (https://github.com/grpc/grpc/blob/master/doc/health-checking.md), for the whole
 * server (an empty name) and for the services that are named.
 */
export function createHealthService(
  models: ModelRepository,
  services: readonly string[],
  unforeseen: (error: unknown) => void,
): HealthService {
  const watching = new Set<Watch>();
  let ended = false;
  const asked = (bytes: Buffer) => {
    const { service } = decodeMessage(question, bytes);
    return service === '' || services.includes(service) ? service : null;
  };
  const tellEnd = (call: Watch) => {
    call.write(answer.encode({ status: servingStatus.notServing }));
    call.end();
  };
  const ready = () => (models.isReady() ? servingStatus.serving : servingStatus.notServing);
  return {
    implementation: {
      Check({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) {
        try {
          if (asked(request) === null)
            callback({ code: status.NOT_FOUND, details: 'There is no such service.' });
          else callback(null, answer.encode({ status: ready() }));
        } catch (error) {
          const problem = problemOf(error, unforeseen);
          callback({ code: grpcStatus(problem.status), details: problem.message });
        }
      },
      Watch(call: Watch) {
        try {
          const known = asked(call.request) !== null;
          if (ended) return tellEnd(call);
          call.write(answer.encode({ status: known ? ready() : servingStatus.serviceUnknown }));
          watching.add(call);
          call.once('cancelled', () => watching.delete(call));
          call.once('close', () => watching.delete(call));
        } catch (error) {
          const problem = problemOf(error, unforeseen);
          call.destroy(Object.assign(new Error(problem.message), { code: grpcStatus(problem.status) }));
        }
      },
    },
    end() {
      ended = true;
      for (const call of watching) tellEnd(call);
      watching.clear();
    },
  };
}
