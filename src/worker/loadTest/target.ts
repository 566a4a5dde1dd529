import { Buffer } from 'node:buffer';
import { Agent, type IncomingMessage, request } from 'node:http';
import { SlipwayError } from '../../protocol/errors.ts';
import type { WorkerJobOf } from '../../protocol/worker.ts';

/** An endpoint that is sent one and the same request over connections that are kept. */
export interface LoadTarget {
  /** Tells once the whole answer is there whether its status is below 400, or that there will be none. */
  send(ended: (succeeded: boolean) => void): void;
  /**
   * Sends one and reads its answer.
   *
   * @throws SlipwayError endpointNotReady when nothing answers, loadTestRefused when the answer is a refusal.
   */
  tryOne(): Promise<void>;
  /** Ends all connections, also those that still wait for an answer. New ones are made when needed. */
  breakOff(): void;
}

/** As many as a busy client or a small fleet of them keeps open. */
const mostConnections = 256;
const shownAnswer = 400;

export function createTarget({ endpoint, url, token, body }: WorkerJobOf<'loadTest'>): LoadTarget {
  const bytes = Buffer.from(body);
  const headers = {
    'content-type': 'application/json',
    'content-length': bytes.length,
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
  };
  let agent = newAgent();

  const post = (answered: (answer: IncomingMessage) => void, failed: (error: Error) => void): void => {
    const sent = request(url, { method: 'POST', agent, headers });
    sent.once('response', answered);
    sent.once('error', failed);
    sent.end(bytes);
  };

  return {
    send(ended) {
      let over = false;
      const end = (succeeded: boolean): void => {
        if (!over) ended(succeeded);
        over = true;
      };
      post(
        (answer) => {
          answer.once('end', () => end((answer.statusCode ?? 500) < 400));
          // Broken off in the middle: without an end.
          answer.once('close', () => end(false));
          answer.resume();
        },
        () => end(false),
      );
    },
    tryOne: () =>
      new Promise((resolve, reject) => {
        const fail = (cause: Error) => reject(new SlipwayError('endpointNotReady', { endpoint }, { cause }));
        post((answer) => {
          const status = answer.statusCode ?? 500;
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (chunk: string) => {
            text = (text + chunk).slice(0, shownAnswer);
          });
          answer.once('error', fail);
          answer.once('end', () => {
            if (status < 400) resolve();
            else reject(new SlipwayError('loadTestRefused', { endpoint, status, detail: text.trim() }));
          });
        }, fail);
      }),
    breakOff() {
      agent.destroy();
      agent = newAgent();
    },
  };
}

function newAgent(): Agent {
  return new Agent({ keepAlive: true, maxSockets: mostConnections, maxFreeSockets: mostConnections });
}
