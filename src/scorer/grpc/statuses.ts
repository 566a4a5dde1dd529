import { status } from '@grpc/grpc-js';

const codes: Readonly<Record<number, status>> = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  404: status.NOT_FOUND,
  409: status.FAILED_PRECONDITION,
  413: status.RESOURCE_EXHAUSTED,
  429: status.RESOURCE_EXHAUSTED,
  501: status.UNIMPLEMENTED,
  503: status.UNAVAILABLE,
  504: status.DEADLINE_EXCEEDED,
};

/** The code of gRPC for a status of HTTP (https://grpc.io/docs/guides/status-codes/). */
export function grpcStatus(httpStatus: number): status {
  return codes[httpStatus] ?? status.INTERNAL;
}
