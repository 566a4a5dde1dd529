import type { IncomingHttpHeaders } from 'node:http';
import type { ServerDuplexStream } from '@grpc/grpc-js';
import { modelInferResponse, modelStreamInferResponse } from './inferenceMessages.ts';
import { truthParameter } from './inferenceResponse.ts';
import type { PredictionAnswer, Predictions } from './predictions.ts';

type Stream = ServerDuplexStream<Buffer, Buffer>;

/** Streams of predictions, as in Triton: each request gets one response, in the order of the requests. */
export interface PredictionStreams {
  answer(stream: Stream, headers: IncomingHttpHeaders): void;
  /** Ends all streams, each once the request that it is at is answered. */
  end(): void;
}

interface OpenStream {
  busy: boolean;
  readonly stream: Stream;
}

export function createPredictionStreams(predict: Predictions): PredictionStreams {
  const open = new Set<OpenStream>();
  let ending = false;

  const answerAll = async (entry: OpenStream, headers: IncomingHttpHeaders) => {
    const { stream } = entry;
    // One at a time: what the client sends meanwhile waits on its side.
    for await (const message of stream) {
      entry.busy = true;
      const answer = await predict(message, headers);
      if (stream.writable) stream.write(modelStreamInferResponse.encode(streamResponse(answer)));
      answer.answered();
      entry.busy = false;
      if (ending) stream.end();
    }
    if (!ending) stream.end();
  };
  return {
    answer(stream, headers) {
      const entry = { busy: false, stream };
      open.add(entry);
      // A client that goes away in the middle of a stream ends it, which is no fault.
      const closed = () => open.delete(entry);
      answerAll(entry, headers).then(closed, closed);
    },
    end() {
      ending = true;
      for (const { busy, stream } of open) if (!busy) stream.end();
    },
  };
}

/** An error is told in its response, and the stream goes on. */
function streamResponse({ response, problem, request }: PredictionAnswer) {
  const final = { key: 'triton_final_response', value: truthParameter(true) };
  if (response) {
    return {
      error_message: '',
      infer_response: { ...response, parameters: [...response.parameters, final] },
    };
  }
  const unanswered = {
    ...modelInferResponse.decode(Buffer.alloc(0)),
    id: request?.id ?? '',
    model_name: request?.model_name ?? '',
    parameters: [final],
  };
  return { error_message: problem?.message ?? '', infer_response: unanswered };
}
