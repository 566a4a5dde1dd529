import { Agent, request } from 'node:http';

/** A client of the MLflow REST dialect that adds as little of its own as it can: one connection that stays open. */
export interface RawClient {
  /** Posts a JSON text; gives the text of the answer. Throws unless the status is 200. */
  post(path: string, body: string): Promise<string>;
  get(path: string, prefix?: string): Promise<string>;
  close(): void;
}

const api = '/api/2.0/mlflow';

/** @param url where the server listens; paths go below its `/api/2.0/mlflow` unless another prefix is named */
export function createRawClient(url: string): RawClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const { hostname, port } = new URL(url);
  const call = (method: 'GET' | 'POST', path: string, body: Buffer | null) =>
    new Promise<string>((resolve, reject) => {
      const headers =
        body === null ? {} : { 'content-type': 'application/json', 'content-length': body.length };
      const sent = request({ agent, hostname, port, method, path, headers }, (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(pieces).toString();
          if (response.statusCode === 200) resolve(text);
          else reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 500)}`));
        });
      });
      sent.on('error', reject);
      sent.end(body ?? undefined);
    });
  return {
    post: (path, body) => call('POST', api + path, Buffer.from(body)),
    get: (path, prefix = api) => call('GET', prefix + path, null),
    close: () => agent.destroy(),
  };
}

/** Creates a run in the default experiment and gives its id. */
export async function createRun(client: RawClient): Promise<string> {
  const answer: { readonly run: { readonly info: { readonly run_id: string } } } = JSON.parse(
    await client.post('/runs/create', '{"experiment_id": "0", "start_time": 1}'),
  );
  return answer.run.info.run_id;
}
