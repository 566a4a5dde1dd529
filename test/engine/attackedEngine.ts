import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, request } from 'node:http';
import { join } from 'node:path';
import { type Answer, textAt } from './answers.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

/** Where the dialect has the artifacts. */
export const artifacts = '/api/2.0/mlflow-artifacts/artifacts';

/** What `secret.txt` beside the store says. */
export const secret = 'the secret beside the store';

const token = 'a token that only this test knows';

/**
 * What the suites of published vulnerabilities of MLflow's server ask with. Each vulnerability that has a counterpart
 * here is asked for as the request that made it. Those of features that are not here (users and passwords, webhooks,
 * gateway, GraphQL, recipes) have none.
 */
export interface AttackedEngine {
  /** The engine of the suite; it has a registered model `m`. */
  engine(): RegistryEngine;
  /** Fails unless the answer says that what was asked for is invalid. */
  refused(answer: Answer): void;
  /** Asks for a version of `m`. */
  createVersion(fields: object): Promise<Answer>;
  /** Fails unless the answer is a refusal without anything of the secret, or of the users of this machine. */
  assertTellsNoSecret(path: string, init?: RequestInit): Promise<void>;
  /** Sends a path exactly as it stands, which `fetch` would normalise. */
  sendRaw(
    method: string,
    path: string,
    headers?: Readonly<Record<string, string>>,
    body?: string,
  ): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders; readonly text: string }>;
}

/** Gives the suite in which it is called an engine. */
export function attackedEngine(): AttackedEngine {
  let engine: RegistryEngine;
  before(async () => {
    engine = await openRegistryEngine(token);
    writeFileSync(join(engine.folder, 'secret.txt'), secret);
    await engine.call('POST', '/registered-models/create', { name: 'm' });
  });
  after(() => engine.close());

  return {
    engine: () => engine,
    refused({ status, body }) {
      assert.equal(status, 400, JSON.stringify(body));
      assert.equal(textAt(body, 'error_code'), 'INVALID_PARAMETER_VALUE');
    },
    createVersion: (fields) => engine.call('POST', '/model-versions/create', { name: 'm', ...fields }),
    async assertTellsNoSecret(path, init = {}) {
      const response = await engine.fetch(path, init);
      const text = await response.text();
      assert.ok(response.status >= 400 && response.status < 500, `${response.status} ${path}`);
      assert.ok(!text.includes(secret) && !text.includes('root:'), path);
    },
    async sendRaw(method, path, headers = {}, body = '') {
      const { port } = new URL(engine.url);
      const sent = request({
        host: '127.0.0.1',
        port,
        method,
        path,
        headers: { authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body), ...headers },
      });
      sent.end(body);
      const [response] = await once(sent, 'response');
      response.setEncoding('utf8');
      let text = '';
      for await (const piece of response) text += piece;
      return { status: Number(response.statusCode), headers: response.headers, text };
    },
  };
}
