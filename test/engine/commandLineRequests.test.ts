import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { openWholeEngine, registerOnnx } from './servedStore.ts';
import { runToEnd } from './startedProcess.ts';
import { writeRequests } from './writtenRequests.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

/** `y = x · [1, 2, 3] + bias`, whose bias is 0.5 in version 1 and 3 in version 2. */
describe('slipway requests', function () {
  this.timeout(120_000);
  let workspace: string;
  before(async () => {
    workspace = await temporaryFolder();
    const engine = await openWholeEngine(workspace);
    registerOnnx(engine, workspace, 'wine', linearModel('rows', 0.5));
    registerOnnx(engine, workspace, 'wine', linearModel('rows', 3));
    await engine.serving.start({ modelName: 'wine', modelVersion: 1, port: null });
    await engine.serving.stop('wine');
    await engine.close();
    const at = (minute: number) => Date.UTC(2026, 2, 1, 12, minute);
    writeRequests(
      inferenceLogFile(storeLayout(workspace), 'wine'),
      [
        { id: 'one', receivedAt: at(0), inputs: '{"x":[[1,2,3]]}', outputs: '{"y":[14.5]}' },
        {
          id: 'two',
          receivedAt: at(1),
          inputs: '{"x":[[1,0,0],[0,1,0]]}',
          outputs: '{"y":[1.5,2.5]}',
        },
        {
          id: 'two',
          receivedAt: at(1),
          version: 2,
          variant: 'shadow',
          inputs: '{"x":[[1,0,0],[0,1,0]]}',
          outputs: '{"y":[4,5]}',
        },
        { id: 'empty', receivedAt: at(2), inputs: '{"x":[]}', outputs: '{"y":[]}' },
        { id: 'bad', receivedAt: at(3) },
      ],
      [{ id: 'one', truth: '14' }],
    );
  });
  after(() => removeFolder(workspace));
  afterEach(endLeftProcesses);

  const slipway = (...args: readonly string[]) =>
    runToEnd([cli, 'requests', ...args, '--workspace', workspace]);
  const ids = async (...args: readonly string[]) => {
    const { code, stdout, stderr } = await slipway('wine', '--json', ...args);
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout === '' ? [] : stdout.split('\n');
    return lines.map((line) => JSON.parse(line).requestId);
  };

  it('shows them, newest first', async () => {
    const { code, stdout, stderr } = await slipway('wine');
    assert.deepEqual([code, stderr], [0, '']);
    const lines = stdout.split('\n');
    assert.equal(lines[0], '2026-03-01T12:03:00.000Z 400 1.5 ms bad');
    assert.deepEqual(lines.slice(-2), [
      '2026-03-01T12:00:00.000Z 200 v1 stable 1.5 ms one',
      '  {"x":[[1,2,3]]} -> {"y":[14.5]}',
    ]);
  });

  it('shows only those that are asked for', async () => {
    assert.deepEqual(await ids(), ['bad', 'empty', 'two', 'two', 'one']);
    assert.deepEqual(await ids('--last', '2'), ['bad', 'empty']);
    assert.deepEqual(await ids('--failed'), ['bad']);
    assert.deepEqual(await ids('--answered', '--version', '1'), ['empty', 'two', 'one']);
    assert.deepEqual(await ids('--variant', 'shadow'), ['two']);
    assert.deepEqual(await ids('--since', '2026-03-01T12:01Z', '--until', '2026-03-01T12:02Z'), [
      'empty',
      'two',
      'two',
    ]);
    assert.deepEqual(await ids('--id', 'one'), ['one']);
    assert.deepEqual(await ids('--until', '2026-03-01'), []);
    const none = await slipway('wine', '--id', 'nobody');
    assert.deepEqual([none.code, none.stdout], [0, 'The endpoint "wine" logged no such requests.']);
  });

  it('writes them to a file', async () => {
    const output = join(workspace, 'requests.csv');
    const { code, stdout } = await slipway('wine', '--output', output, '--id', 'one');
    assert.equal(code, 0);
    assert.equal(stdout, `${output}: 1 row of 1 request.`);
    assert.deepEqual(readFileSync(output, 'utf8').trim().split('\n'), [
      'request_id,received_at,model,version,variant,status,latency_ms,row,inputs.x,outputs.y,truth,reward',
      'one,2026-03-01 12:00:00,wine,1,stable,200,1.5,0,"[1, 2, 3]",14.5,14,',
    ]);
    const all = await slipway('wine', '--output', join(workspace, 'requests.parquet'), '--json');
    assert.deepEqual(JSON.parse(all.stdout), {
      output: join(workspace, 'requests.parquet'),
      requests: 5,
      rows: 7,
    });
  });

  it('asks another version what clients asked, but not what only a shadow was asked', async () => {
    const { code, stdout } = await slipway('wine', '--replay', '2');
    assert.equal(code, 0);
    assert.deepEqual(stdout.split('\n'), [
      'Version 2 of "wine" on 3 requests that v1 answered: 0 of 3 rows agree.',
      '  y: 0 of 3 agree, differs by 2.500 on average, 2.500 at most',
    ]);
    const same = JSON.parse((await slipway('wine', '--replay', '1', '--json', '--last', '2')).stdout);
    assert.deepEqual([same.requests, same.rows, same.equalRows, same.failedRequests], [2, 2, 2, 0]);
    const shadow = JSON.parse(
      (await slipway('wine', '--replay', '2', '--json', '--variant', 'shadow')).stdout,
    );
    assert.deepEqual([shadow.loggedVersions, shadow.rows, shadow.equalRows], [[2], 2, 2]);
  });

  for (const [wrong, args] of [
    ['no endpoint', []],
    ['two endpoints', ['wine', 'beer']],
    ['an unknown option', ['wine', '--first', '3']],
    ['a number that is none', ['wine', '--last', '0']],
    ['a version that is none', ['wine', '--replay', 'latest']],
    ['a moment that is none', ['wine', '--since', '5']],
    ['both --failed and --answered', ['wine', '--failed', '--answered']],
    ['both --output and --replay', ['wine', '--output', 'a.csv', '--replay', '2']],
    ['both --output and --last', ['wine', '--output', 'a.csv', '--last', '2']],
  ] as const) {
    it(`refuses ${wrong}`, async () => {
      const { code, stdout, stderr } = await slipway(...args);
      assert.deepEqual([code, stdout], [2, '']);
      assert.notEqual(stderr, '');
    });
  }

  it('says what it cannot do', async () => {
    const failed = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await slipway(...args);
      assert.deepEqual([code, stdout], [1, '']);
      return stderr;
    };
    assert.match(await failed('beer'), /beer/);
    assert.match(await failed('wine', '--replay', '9'), /9/);
    assert.match(await failed('wine', '--output', join(workspace, 'a.xlsx')), /\.xlsx.*\.parquet/);
    const nowhere = join(workspace, 'nowhere', 'a.csv');
    assert.match(await failed('wine', '--output', nowhere), /^slipway: The requests cannot be written to/);
    assert.match(await failed('wine', '--output', join(workspace, 'b.csv'), '--id', 'nobody'), /no requests/);
    assert.ok(!existsSync(join(workspace, 'b.csv')));
  });
});
