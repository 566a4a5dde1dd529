import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { curlCommand } from '../../../src/extension/serving/curl.ts';
import type { EndpointDescription } from '../../../src/protocol/serving.ts';

const description: EndpointDescription = {
  endpoint: {
    name: "o'hare",
    modelName: "o'hare",
    modelVersion: 1,
    state: 'ready',
    url: 'http://127.0.0.1:1',
    readySince: null,
    requestCount: 0,
    errorCount: 0,
    failure: null,
  },
  inputs: [],
  outputs: [],
  inferUrl: "http://127.0.0.1:1/v2/models/o'hare/infer",
  exampleRequest: `{\n  "data": ["it's $HOME", "\`id\`", "a\\\\b"]\n}`,
  token: 'a-token',
};

describe('a curl command', () => {
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  /** What a shell hands to curl. */
  function argumentsOf(command: string): string[] {
    const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }; ${command}`;
    const env = { MLFLOW_TRACKING_TOKEN: 'of-the-terminal' };
    return execFileSync('sh', ['-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1);
  }

  it('carries address, token and body through a shell unchanged', () => {
    assert.deepEqual(argumentsOf(curlCommand(description, 'literal')), [
      '-sS',
      description.inferUrl,
      '-H',
      'Content-Type: application/json',
      '-H',
      'Authorization: Bearer a-token',
      '-d',
      description.exampleRequest,
    ]);
  });

  it('can leave the token to the terminal', () => {
    const command = curlCommand(description, 'variable');
    assert.ok(!command.includes('a-token'));
    assert.ok(argumentsOf(command).includes('Authorization: Bearer of-the-terminal'));
  });

  it('has no authorization where none is asked for', () => {
    assert.ok(!curlCommand({ ...description, token: null }, 'literal').includes('Authorization'));
  });
});
