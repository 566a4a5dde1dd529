import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atOrigin, type Call, exampleCall } from '../../../src/extension/serving/call.ts';
import { curlCommand } from '../../../src/extension/serving/curl.ts';
import { pythonProgram } from '../../../src/extension/serving/pythonProgram.ts';
import { typescriptProgram } from '../../../src/extension/serving/typescriptProgram.ts';
import type { EndpointDescription } from '../../../src/protocol/serving.ts';
import { commandOnPath } from '../../toolchain/commandOnPath.ts';

const run = promisify(execFile);
const answer = { outputs: [{ name: 'label', data: [1, 'é "quoted"'] }] };

/** Programs that are copied are run as a person runs them, and what arrives at a real server is looked at. */
describe('a copied program', () => {
  let server: Server;
  let folder: string;
  let arrived: {
    method: string | undefined;
    path: string | undefined;
    authorization: string | undefined;
    type: string | undefined;
    body: string;
  };
  let status: number;

  beforeEach(async () => {
    status = 200;
    folder = await mkdtemp(join(tmpdir(), 'slipway-call-'));
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url, headers } = request;
        arrived = {
          method,
          path: url,
          authorization: headers.authorization,
          type: headers['content-type'],
          body: Buffer.concat(chunks).toString('utf8'),
        };
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(status === 200 ? answer : { error: 'no input "x"' }));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(folder, { recursive: true, force: true });
  });

  const bodies = [
    '{\n  "inputs": [\n    {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 8.6]}\n  ]\n}',
    '{"text": "it\'s $HOME `id` \\"quoted\\" \\\\ \\u0000 \'\'\' $1 é 😀"}',
    '{"id": 9007199254740993, "truths": [true, false, null]}',
  ];
  const call = (body: string, token: Call['token']): Call => ({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/o%27hare%20%C3%A9/infer`,
    body,
    token,
  });
  const env = { ...process.env, MLFLOW_TRACKING_TOKEN: 'of-the-terminal' };

  const languages: readonly {
    readonly name: string;
    readonly command: string | null;
    readonly file: string;
    readonly write: (call: Call) => string;
  }[] = [
    {
      name: 'curl',
      command: commandOnPath('curl') === null ? null : commandOnPath('sh'),
      file: 'call.sh',
      write: curlCommand,
    },
    { name: 'Python', command: commandOnPath('python3', 'python'), file: 'call.py', write: pythonProgram },
    { name: 'TypeScript', command: process.execPath, file: 'call.mts', write: typescriptProgram },
  ];
  for (const { name, command, file, write } of languages) {
    const start = async (program: string) => {
      assert.ok(command);
      const path = join(folder, file);
      await writeFile(path, program);
      return run(command, [path], { env });
    };

    describe(`in ${name}`, () => {
      before(function () {
        if (command === null || (name === 'curl' && process.platform === 'win32')) this.skip();
      });

      for (const [place, body] of bodies.entries()) {
        it(`sends body ${place + 1} unchanged and prints the answer`, async () => {
          const { stdout } = await start(write(call(body, { from: 'literal', value: 'a-token' })));
          assert.deepEqual(JSON.parse(stdout), answer);
          assert.equal(arrived.method, 'POST');
          assert.equal(arrived.path, '/v2/models/o%27hare%20%C3%A9/infer');
          assert.equal(arrived.type, 'application/json');
          assert.equal(arrived.authorization, 'Bearer a-token');
          // JavaScript may write the same JSON with other spaces.
          if (name !== 'TypeScript' || place === 2) assert.equal(arrived.body, body);
          assert.deepEqual(JSON.parse(arrived.body), JSON.parse(body));
        });
      }

      it('takes the token from the terminal, or none', async () => {
        const [body = ''] = bodies;
        const program = write(call(body, { from: 'variable', variable: 'MLFLOW_TRACKING_TOKEN' }));
        assert.ok(!program.includes('of-the-terminal'));
        await start(program);
        assert.equal(arrived.authorization, 'Bearer of-the-terminal');
        await start(write(call(body, null)));
        assert.equal(arrived.authorization, undefined);
      });

      it('does not hide that it was refused', async () => {
        status = 400;
        const [body = ''] = bodies;
        const program = write(call(body, null));
        if (name === 'curl') assert.match((await start(program)).stdout, /no input/);
        else await assert.rejects(start(program), /400/);
      });
    });
  }

  it('is addressed from where it runs', () => {
    const description = {
      inferUrl: 'http://127.0.0.1:49152/v2/models/a%2Fb/infer',
      exampleRequest: '{}',
      token: 'secret',
    } as EndpointDescription;
    assert.deepEqual(exampleCall(description, 'https://forwarded.example/port/', 'literal'), {
      url: 'https://forwarded.example/port/v2/models/a%2Fb/infer',
      body: '{}',
      token: { from: 'literal', value: 'secret' },
    });
    assert.equal(
      atOrigin(description.inferUrl, 'http://127.0.0.1:49152'),
      'http://127.0.0.1:49152/v2/models/a%2Fb/infer',
    );
  });
});
