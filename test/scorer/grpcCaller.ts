import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import {
  type ModelInferRequest,
  type ModelInferResponse,
  modelInferRequest,
  modelInferResponse,
} from '../../src/scorer/grpc/inferenceMessages.ts';
import { serverToken } from './inferenceServer.ts';

/** What a call came to: its bytes, or the code and words of its failure. */
export interface Called {
  readonly code: status;
  readonly details: string;
  readonly bytes: Buffer | null;
  /** What was told ahead of the answer. */
  readonly metadata: Metadata;
}

export interface GrpcCaller {
  readonly client: Client;
  /** Calls a method of the inference service with bytes as they are. */
  call(method: string, bytes: Buffer, headers?: Readonly<Record<string, string>>): Promise<Called>;
  close(): void;
}

/** Speaks to an endpoint by the library's own client, with the token. */
export function createGrpcCaller(
  address: string,
  options: object = {},
  token: string | null = serverToken,
): GrpcCaller {
  const client = new Client(address, credentials.createInsecure(), options);
  const same = (bytes: Buffer) => bytes;
  return {
    client,
    call: (method, bytes, headers = {}) =>
      new Promise((resolve) => {
        const metadata = new Metadata();
        if (token !== null) metadata.set('authorization', `Bearer ${token}`);
        for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
        let answered = new Metadata();
        const answer = (error: ServiceError | null, response?: Buffer) =>
          resolve({
            code: error?.code ?? status.OK,
            details: error?.details ?? '',
            bytes: response ?? null,
            metadata: answered,
          });
        const path = `/inference.GRPCInferenceService/${method}`;
        client.makeUnaryRequest(path, same, same, bytes, metadata, answer).on('metadata', (received) => {
          answered = received;
        });
      }),
    close: () => client.close(),
  };
}

/** A request to "wine" with rows of three numbers. */
export function wineRequest(
  rows: readonly (readonly number[])[],
  more: Partial<ModelInferRequest> = {},
): Buffer {
  const bytes = Buffer.from(Float32Array.from(rows.flat()).buffer);
  return modelInferRequest.encode({
    model_name: 'wine',
    inputs: [{ name: 'x', datatype: 'FP32', shape: [rows.length, 3], parameters: [], contents: null }],
    raw_input_contents: [bytes],
    ...more,
  });
}

/** The numbers of the first output. */
export function answeredNumbers(bytes: Buffer | null): {
  readonly response: ModelInferResponse;
  readonly y: number[];
} {
  const response = modelInferResponse.decode(bytes ?? Buffer.alloc(0));
  const [raw = new Uint8Array(0)] = response.raw_output_contents;
  return { response, y: [...new Float32Array(Uint8Array.from(raw).buffer)] };
}
