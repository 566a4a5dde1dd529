import assert from 'node:assert/strict';
import { status } from '@grpc/grpc-js';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { freePort } from '../freePort.ts';
import { answeredNumbers, createGrpcCaller, type GrpcCaller, wineRequest } from '../scorer/grpcCaller.ts';
import { waitForRows } from '../scorer/inferenceLogRows.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';
import { registerOnnx, storeToken } from './servedStore.ts';

describe('What slipway.yaml says anew of an endpoint that runs', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
    stage.promote(1);
  });
  afterEach(() => stage.close());

  /** Ends all processes of the endpoint at once; others follow. */
  const crash = () => {
    for (const id of runningProcesses(stage.logged)) process.kill(id, 'SIGKILL');
    return stage.until(({ state }) => state === 'starting');
  };

  it('a change of the settings reaches what runs: by commands, or by new processes on the same port', async () => {
    stage.writeSettings('endpoints:\n  wine: {}\n');
    const { url } = await stage.until(({ state }) => state === 'ready');
    stage.writeSettings(
      'endpoints:\n  wine:\n    sticky: { header: x-user }\n    shadow: { of: { version: 2 }, share: 100 }\n',
    );
    await stage.until(({ variants }) =>
      variants.some(({ name, version }) => name === 'shadow' && version === 2),
    );
    assert.ok(!stage.trail().includes('slipway.yaml: settingsChanged'));
    await stage.engine().serving.startRollout({
      endpoint: 'wine',
      modelVersion: 2,
      plan: { steps: [{ share: 50, hold: '1h' }] },
      who: 'Ana',
    });
    const users = Array.from({ length: 20 }, (_, index) => ({ 'x-user': `user ${index}` }));
    const rounds = [];
    for (const _round of [1, 2, 3]) {
      rounds.push(await Promise.all(users.map(async (headers) => (await stage.ask({ headers })).bias)));
    }
    assert.deepEqual(rounds[1], rounds[0]);
    assert.deepEqual(rounds[2], rounds[0]);
    assert.equal(new Set(rounds[0]).size, 2, 'some meet the candidate');

    stage.writeSettings('endpoints:\n  wine:\n    sticky: { header: x-user }\n    limits: { body: 1KB }\n');
    await stage.until(() => stage.trail().at(-1) === 'slipway.yaml: settingsChanged');
    assert.equal(stage.engine().serving.endpoint('wine').url, url);
    const askTooLarge = () =>
      fetch(`${url}/v2/models/wine/infer`, {
        method: 'POST',
        headers: { authorization: 'Bearer a token for the tests' },
        body: 'x'.repeat(2000),
      });
    // A connection that was kept alive is answered once more by the old process.
    let answer = await askTooLarge();
    while (answer.status !== 413) answer = await askTooLarge();
    const asked = users.map((headers) => stage.ask({ headers }));
    const after = (await Promise.all(asked)).map(({ bias }) => bias);
    assert.deepEqual(after, rounds[0], 'the rollout goes on in the new process');
  });

  it('another model beside its own comes and goes while it answers, for a process that follows a crash, too', async () => {
    registerOnnx(stage.engine(), stage.workspace, 'beer', linearModel('rows', 7));
    const [own, beside] = ['stable: { version: 1 }', 'models: [{ model: beer, of: { version: 1 } }]'];
    stage.writeSettings(`endpoints:\n  wine: { ${own} }\n`);
    const { readySince } = await stage.until(({ state }) => state === 'ready');
    const offers = async (wanted: boolean) => {
      const { url } = stage.engine().serving.endpoint('wine');
      const headers = { authorization: `Bearer ${storeToken}` };
      while ((await fetch(`${url}/v2/models/beer/ready`, { headers })).ok !== wanted);
    };
    stage.writeSettings(`endpoints:\n  wine: { ${own}, ${beside}, log: { sample: 100 } }\n`);
    await offers(true);
    stage.writeSettings(`endpoints:\n  wine: { ${own}, log: { sample: 50 } }\n`);
    await offers(false);
    const [event] = stage.engine().serving.events('wine', 1);
    assert.equal(event && say(event.said), 'Its inference log keeps 50 % of the requests from now on.');
    assert.equal(stage.engine().serving.endpoint('wine').readySince, readySince);

    await crash();
    await stage.until(({ state }) => state === 'ready');
    assert.equal((await stage.ask()).status, 200);
  });

  it('another sample of the log is kept by the processes that run', async () => {
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 0 } }\n');
    const { readySince } = await stage.until(({ state }) => state === 'ready');
    await stage.ask();
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 100 } }\n');
    await stage.until(() => stage.trail().at(-1) === 'slipway.yaml: settingsChanged');
    assert.equal(stage.engine().serving.endpoint('wine').readySince, readySince);
    const [event] = stage.engine().serving.events('wine', 1);
    assert.equal(event && say(event.said), 'Its inference log keeps 100 % of the requests from now on.');
    const { requestId } = await stage.ask();
    const file = inferenceLogFile(storeLayout(stage.workspace), 'wine');
    assert.deepEqual(
      (await waitForRows(file, 1)).map((request) => request.requestId),
      [requestId],
    );

    await crash();
    await stage.until(({ state }) => state === 'ready');
    await stage.ask();
    assert.equal((await waitForRows(file, 2)).length, 2, 'one that follows after a crash keeps it, too');
  });

  it('what runs goes on in its processes when it is declared as it is, and when that is taken back', async () => {
    const { serving } = stage.engine();
    await serving.start({ modelName: 'wine', modelVersion: 1, port: null });
    const { readySince } = await stage.until(({ state }) => state === 'ready');
    stage.writeSettings('endpoints:\n  wine: {}\n');
    await stage.until(({ declared }) => declared);
    // What was wanted before has been done by the time that this is.
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 50 } }\n');
    await stage.until(() => stage.trail().at(-1) === 'slipway.yaml: settingsChanged');
    stage.writeSettings('endpoints: {}\n');
    await stage.until(({ declared }) => !declared);
    assert.equal(serving.endpoint('wine').readySince, readySince);
    assert.equal(stage.trail().filter((kind) => kind.endsWith('settingsChanged')).length, 1);
  });

  it('answers over gRPC on one port, by all of its processes, through a change and after crashes', async () => {
    const port = await freePort();
    const settings = (more: string) =>
      `endpoints:\n  wine:\n    grpc: ${port}\n    runtime: { processes: 2 }\n${more}`;
    stage.writeSettings(settings(''));
    const { grpcAddress, readySince } = await stage.until(({ state }) => state === 'ready');
    assert.equal(grpcAddress, `127.0.0.1:${port}`);

    // Each has a connection of its own.
    const callers = Array.from({ length: 6 }, () =>
      createGrpcCaller(`127.0.0.1:${port}`, { 'grpc.use_local_subchannel_pool': 1 }, storeToken),
    );
    const call = async (caller: GrpcCaller) => {
      const { code, details, bytes } = await caller.call('ModelInfer', wineRequest([[0, 0, 0]]));
      assert.equal(code, status.OK, details);
      return answeredNumbers(bytes).y;
    };
    let changing = true;
    const busy = callers.map(async (caller) => {
      let calls = 0;
      for (; changing; calls += 1) assert.deepEqual(await call(caller), [1]);
      return calls;
    });
    stage.writeSettings(settings('    limits: { body: 1KB }\n'));
    const changed = await stage.until((endpoint) => endpoint.readySince !== readySince);
    assert.deepEqual([changed.state, changed.grpcAddress], ['ready', `127.0.0.1:${port}`]);
    changing = false;
    assert.ok((await Promise.all(busy)).every((calls) => calls > 0));

    await crash();
    const late = createGrpcCaller(`127.0.0.1:${port}`, { 'grpc.use_local_subchannel_pool': 1 }, storeToken);
    assert.deepEqual(await call(late), [1], 'it waits for the process that follows');
    for (const caller of [...callers, late]) caller.close();
  });
});

/** Those that became ready last, as the log says. */
function runningProcesses(logged: readonly string[]): readonly number[] {
  const line = logged.findLast((candidate) => candidate.includes('(process ')) ?? '';
  return (/\(process ([\d, ]+)\)/.exec(line)?.[1] ?? '').split(', ').map(Number);
}
