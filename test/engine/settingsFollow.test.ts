import assert from 'node:assert/strict';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { status } from '@grpc/grpc-js';
import { inferenceLogFile, storeLayout } from '../../src/engine/layout.ts';
import type { SettingsProblem } from '../../src/protocol/endpointSettings.ts';
import { detail } from '../../src/protocol/errorDetails.ts';
import { say } from '../../src/protocol/servingSentences.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { answeredNumbers, createGrpcCaller, type GrpcCaller, wineRequest } from '../scorer/grpcCaller.ts';
import { waitForRows } from '../scorer/inferenceLogRows.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';
import { registerOnnx, storeToken } from './servedStore.ts';

describe('slipway.yaml and the registry', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
  });
  afterEach(() => stage.close());

  const promote = (version: number) =>
    stage.engine().registry.promote({ name: 'wine', version, stage: 'Production', who: 'Ana', why: '' });
  const kinds = (endpoint = 'wine') =>
    stage
      .engine()
      .serving.events(endpoint, 100)
      .map(({ kind, who }) => `${who}: ${kind}`)
      .toReversed();

  /** Ends all processes of the endpoint at once; others follow. */
  const crash = () => {
    for (const id of runningProcesses(stage.logged)) process.kill(id, 'SIGKILL');
    return stage.until(({ state }) => state === 'starting');
  };

  it('a declared endpoint starts with the version of its stage, and follows a promotion', async () => {
    promote(1);
    stage.writeSettings('endpoints:\n  wine: {}\n');
    const { modelVersion, declared, follows } = await stage.until(({ state }) => state === 'ready');
    assert.deepEqual([modelVersion, declared, follows], [1, true, { type: 'stage', stage: 'Production' }]);
    // Nobody has asked it: no canary would ever be judged.
    promote(2);
    await stage.until((endpoint) => endpoint.modelVersion === 2);
    assert.equal((await stage.ask()).bias, 2);
    const started = kinds().filter((kind) => !kind.endsWith('started'));
    assert.deepEqual(started, ['slipway.yaml: declared', 'registry: rolloutStarted', 'analysis: promoted']);
    // Somebody has by now: the next one comes in step by step.
    await stage.until(({ requestCount }) => requestCount > 0);
    stage.register(3);
    promote(3);
    const { rollout } = await stage.until((endpoint) => endpoint.rollout?.share === 0.05);
    assert.deepEqual([rollout?.strategy, rollout?.candidateVersion], ['canary', 3]);
    // Another promotion takes its place.
    promote(1);
    const next = await stage.until((endpoint) => endpoint.rollout?.candidateVersion === 1);
    assert.equal(next.rollout?.stableVersion, 2);
  });

  it('a version that comes to its stage later makes the endpoint; what is pinned stays', async () => {
    stage.writeSettings(
      'endpoints:\n  wine: { stable: { alias: champion } }\n  pinned: { model: wine, stable: { version: 1 } }\n  still: { model: wine, follow: false }\n',
    );
    await stage.until(({ state }) => state === 'ready', 'pinned');
    assert.ok(
      stage.logged.some((line) => line.includes('No version of "wine" has the alias "champion" yet.')),
    );
    promote(1);
    await stage.until(({ state }) => state === 'ready', 'still');
    stage.engine().registry.setAlias('wine', 'champion', 2);
    const { modelVersion } = await stage.until(({ state }) => state === 'ready');
    assert.equal(modelVersion, 2);
    promote(2);
    stage.engine().registry.setAlias('wine', 'champion', 1);
    await stage.until((endpoint) => endpoint.modelVersion === 1);
    for (const name of ['pinned', 'still']) {
      const { modelVersion: served, follows } = stage.engine().serving.endpoint(name);
      assert.deepEqual([served, follows], [1, { type: 'pinned' }], name);
    }
    assert.equal((await stage.ask({ endpoint: 'pinned' })).bias, 1);
  });

  it('with an error in it tells the place, and what was read before stays in force', async () => {
    promote(1);
    stage.writeSettings('endpoints:\n  wine: { sticky: { header: x-user } }\n');
    await stage.until(({ state }) => state === 'ready');
    const refused = () => stage.logged.find((line) => line.startsWith('slipway.yaml, line 2, column 17: '));
    const told: (readonly SettingsProblem[])[] = [];
    stage.engine().changes.listen((event, data) => {
      if (event === 'serving/settingsRead' && 'problems' in data) told.push(data.problems);
    });
    stage.writeSettings('endpoints:\n  wine: { porto: 80, sticky: { header: x-user } }\n');
    stage.writeSettings('endpoints:\n  wine: { port: 80000 }\n');
    while (!refused()) await new Promise((resolve) => setImmediate(resolve));
    assert.equal(
      refused(),
      'slipway.yaml, line 2, column 17: endpoints.wine.port: expected number to be <=65535, not 80000',
    );
    assert.equal(stage.engine().serving.endpoint('wine').declared, true);
    // The editor shows it in the file until it is right again, even with the words that it had before.
    assert.deepEqual(told.at(-1), [
      {
        line: 2,
        column: 17,
        detail: detail('settingAt', {
          setting: 'endpoints.wine.port',
          problem: detail('settingGiven', {
            problem: detail('expectedNumber', { comparison: '<=65535' }),
            given: '80000',
          }),
        }),
      },
    ]);
    stage.writeSettings('endpoints:\n  wine: { sticky: { header: x-user } }\n');
    while (told.at(-1)?.length !== 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it('a change of the settings reaches what runs: by commands, or by new processes on the same port', async () => {
    promote(1);
    stage.writeSettings('endpoints:\n  wine: {}\n');
    const { url } = await stage.until(({ state }) => state === 'ready');
    stage.writeSettings(
      'endpoints:\n  wine:\n    sticky: { header: x-user }\n    shadow: { of: { version: 2 }, share: 100 }\n',
    );
    await stage.until(({ variants }) =>
      variants.some(({ name, version }) => name === 'shadow' && version === 2),
    );
    assert.ok(!kinds().includes('slipway.yaml: settingsChanged'));
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
    await stage.until(() => kinds().at(-1) === 'slipway.yaml: settingsChanged');
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
    promote(1);
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
    promote(1);
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 0 } }\n');
    const { readySince } = await stage.until(({ state }) => state === 'ready');
    await stage.ask();
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 100 } }\n');
    await stage.until(() => kinds().at(-1) === 'slipway.yaml: settingsChanged');
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
    promote(1);
    const { serving } = stage.engine();
    await serving.start({ modelName: 'wine', modelVersion: 1, port: null });
    const { readySince } = await stage.until(({ state }) => state === 'ready');
    stage.writeSettings('endpoints:\n  wine: {}\n');
    await stage.until(({ declared }) => declared);
    // What was wanted before has been done by the time that this is.
    stage.writeSettings('endpoints:\n  wine: { log: { sample: 50 } }\n');
    await stage.until(() => kinds().at(-1) === 'slipway.yaml: settingsChanged');
    stage.writeSettings('endpoints: {}\n');
    await stage.until(({ declared }) => !declared);
    assert.equal(serving.endpoint('wine').readySince, readySince);
    assert.equal(kinds().filter((kind) => kind.endsWith('settingsChanged')).length, 1);
  });

  it('answers over gRPC on one port, by all of its processes, through a change and after crashes', async () => {
    promote(1);
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

  it('without its entry is pinned, and starts again with the engine as it was', async () => {
    promote(1);
    stage.writeSettings('endpoints:\n  wine: {}\n');
    await stage.until(({ state }) => state === 'ready');
    rmSync(join(stage.workspace, 'slipway.yaml'));
    await stage.until(({ declared }) => !declared);
    promote(2);
    await stage.reopen();
    const { modelVersion, follows } = await stage.until(({ state }) => state === 'ready');
    assert.deepEqual([modelVersion, follows], [1, { type: 'pinned' }]);
  });

  it('follows what was promoted while the engine did not run', async () => {
    promote(1);
    stage.writeSettings('endpoints:\n  wine: { rollout: { strategy: direct } }\n');
    await stage.until(({ state }) => state === 'ready');
    await stage.engine().serving.stop('wine');
    promote(2);
    await stage.until((endpoint) => endpoint.modelVersion === 2);
    assert.ok(kinds().includes('registry: versionChanged'));
    await stage.reopen();
    assert.equal(stage.engine().serving.endpoint('wine').state, 'stopped', 'a person stopped it');
  });

  describe('with an entry that is written while a person brings a version in', () => {
    const ended: (readonly [string, number, string])[] = [];
    beforeEach(async () => {
      ended.length = 0;
      const { serving, changes } = stage.engine();
      changes.listen((event, data) => {
        if (event === 'serving/rolloutReplaced' && 'version' in data && 'reason' in data)
          ended.push([data.endpoint, data.version, say(data.reason)]);
      });
      await serving.start({ modelName: 'wine', modelVersion: 1, port: null });
      const plan = { steps: [{ share: 50, hold: '1h' }] };
      await serving.startRollout({ endpoint: 'wine', modelVersion: 2, plan, who: 'Ana' });
    });
    /** Writes an entry, and waits until it was followed: other limits take effect last of all. */
    const declare = async (stable: string, kilobytes: number) => {
      const before = kinds().length;
      stage.writeSettings(
        `endpoints:\n  wine:\n    stable: ${stable}\n    limits: { body: ${kilobytes}KB }\n`,
      );
      await stage.until(() => kinds().slice(before).includes('slipway.yaml: settingsChanged'));
    };
    const current = () => {
      const { modelVersion, rollout } = stage.engine().serving.endpoint('wine');
      return [modelVersion, rollout?.candidateVersion, rollout?.share, rollout?.state];
    };

    it('goes on with it where the entry names the version that is served, or the one that comes in', async () => {
      promote(1);
      for (const [index, stable] of ['{ version: 1 }', '{ stage: Production }', '{ version: 1 }'].entries()) {
        await declare(stable, index + 1);
        assert.deepEqual(current(), [1, 2, 0.5, 'running'], stable);
      }
      const answers = await Promise.all(Array.from({ length: 40 }, () => stage.ask()));
      assert.deepEqual([...new Set(answers.map(({ bias }) => bias))].toSorted(), [1, 2]);
      await declare('{ version: 2 }', 9);
      assert.deepEqual(current(), [1, 2, 0.5, 'running']);
      assert.ok(!kinds().some((kind) => kind.endsWith('rolledBack')), kinds().join());
      assert.deepEqual(ended, []);

      // An entry that named the one that comes in, and does so no longer, takes it back.
      await declare('{ version: 1 }', 1);
      assert.deepEqual(current(), [1, undefined, undefined, undefined]);
      assert.deepEqual(ended, [['wine', 2, 'Version 1 takes its place. slipway.yaml names it.']]);
    });

    it('ends it where the entry names a third one, with the reason in the trail, and tells people', async () => {
      stage.register(3);
      stage.writeSettings(
        'endpoints:\n  wine: { stable: { version: 3 }, rollout: { steps: [{ share: 20, hold: 1h }] } }\n',
      );
      await stage.until(({ rollout }) => rollout?.candidateVersion === 3 && rollout.share === 0.2);
      const reason = 'Version 3 takes its place. slipway.yaml names it.';
      assert.deepEqual(ended, [['wine', 2, reason]]);
      const event = stage
        .engine()
        .serving.events('wine', 10)
        .find(({ kind }) => kind === 'rolledBack');
      assert.deepEqual(
        [event?.who, event && say(event.said)],
        ['slipway.yaml', `Version 1 answers all requests again. ${reason}`],
      );
    });
  });

  it('that name another version than what a rollout ended with are told of in the trail, and it stays', async () => {
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 } }\n');
    await stage.until(({ state }) => state === 'ready');
    await stage
      .engine()
      .serving.startRollout({ endpoint: 'wine', modelVersion: 2, plan: { strategy: 'direct' }, who: 'Ana' });
    await stage.until(({ modelVersion }) => modelVersion === 2);
    const told = () =>
      stage
        .engine()
        .serving.events('wine', 20)
        .filter(({ kind }) => kind === 'settingsDiffer')
        .map(({ said }) => say(said));
    assert.deepEqual(told(), [
      'slipway.yaml still names version 1. Write version 2 there, so that it is served wherever that file is used.',
    ]);
    // The same file, written again.
    stage.writeSettings('endpoints:\n  wine: { stable: { version: 1 }, limits: { body: 1KB } }\n');
    await stage.until(() => kinds().includes('slipway.yaml: settingsChanged'));
    assert.equal(stage.engine().serving.endpoint('wine').modelVersion, 2);
    assert.equal(told().length, 1);

    await stage
      .engine()
      .serving.startRollout({ endpoint: 'wine', modelVersion: 1, plan: { strategy: 'direct' }, who: 'Ana' });
    await stage.until(({ modelVersion }) => modelVersion === 1);
    assert.equal(told().length, 1, 'the settings name what is served again');
  });

  it('brings in what the candidate names', async () => {
    promote(1);
    stage.writeSettings(
      'endpoints:\n  wine: { candidate: { alias: challenger }, rollout: { steps: [{ share: 20, hold: 1h }] } }\n',
    );
    await stage.until(({ state }) => state === 'ready');
    stage.engine().registry.setAlias('wine', 'challenger', 2);
    const { rollout } = await stage.until((endpoint) => endpoint.rollout?.share === 0.2);
    assert.equal(rollout?.candidateVersion, 2);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** Those that became ready last, as the log says. */
function runningProcesses(logged: readonly string[]): readonly number[] {
  const line = logged.findLast((candidate) => candidate.includes('(process ')) ?? '';
  return (/\(process ([\d, ]+)\)/.exec(line)?.[1] ?? '').split(', ').map(Number);
}
