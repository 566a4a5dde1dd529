import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { openRolloutStage, type RolloutStage } from './rolloutStage.ts';
import { storeToken } from './servedStore.ts';

describe('The host names of an endpoint', function () {
  this.timeout(120_000);
  let stage: RolloutStage;
  beforeEach(async () => {
    stage = await openRolloutStage();
    stage.register(1);
    stage.register(2);
  });
  afterEach(() => stage.close());

  const serving = () => stage.engine().serving;
  const ready = () => stage.until(({ state }) => state === 'ready');
  const statusBy = async (host: string): Promise<number> => {
    const headers = {
      host,
      origin: `https://${host}`,
      authorization: `Bearer ${storeToken}`,
      // One that is kept open would always meet the same process.
      connection: 'close',
    };
    const sent = request(
      serving()
        .describe('wine')
        .inferUrl.replace(/\/infer$/, ''),
      { headers },
    );
    sent.end();
    const [answer] = await once(sent, 'response');
    answer.resume();
    return answer.statusCode;
  };
  /** As often as needed to meet all of its processes. */
  const statusesBy = async (host: string) => [
    ...new Set(await Promise.all(Array.from({ length: 12 }, () => statusBy(host)))),
  ];
  const processIds = (): readonly number[] => {
    const line = stage.logged.findLast((candidate) => candidate.includes('(process ')) ?? '';
    return (/\(process ([\d, ]+)\)/.exec(line)?.[1] ?? '').split(', ').map(Number);
  };

  it('are those of slipway.yaml, a change of which takes effect', async () => {
    const settings = (hosts: string) => `endpoints:\n  wine: { stable: { version: 1 }, hosts: [${hosts}] }\n`;
    stage.writeSettings(settings('Models.example.com'));
    const { readySince } = await ready();
    assert.deepEqual(await statusesBy('models.example.com'), [200]);
    assert.deepEqual(await statusesBy('other.example.com'), [403]);
    stage.writeSettings(settings('other.example.com'));
    await stage.until((endpoint) => endpoint.state === 'ready' && endpoint.readySince !== readySince);
    // A last connection may still have come to the process that leaves.
    while ((await statusBy('models.example.com')) !== 403);
    assert.deepEqual(await statusesBy('other.example.com'), [200]);
    assert.deepEqual(await statusesBy('models.example.com'), [403]);
  });

  it('are also those that are named while the engine runs, in all of its processes and those that follow', async () => {
    const settings = (more: string) =>
      `endpoints:\n  wine: { stable: { version: 1 }, runtime: { processes: 2 }${more} }\n`;
    stage.writeSettings(settings(''));
    const { readySince } = await ready();
    const host = 'editor.example.com';
    assert.deepEqual(await statusesBy(host), [403]);
    await serving().serveHost('wine', host);
    assert.deepEqual(await statusesBy(host), [200]);
    assert.deepEqual(await statusesBy(`${host}.evil.example`), [403]);

    for (const id of processIds()) process.kill(id, 'SIGKILL');
    const again = await stage.until(
      (endpoint) => endpoint.state === 'ready' && endpoint.readySince !== readySince,
    );
    assert.deepEqual(await statusesBy(host), [200], 'after a crash');

    stage.writeSettings(settings(', limits: { body: 1KB }'));
    await stage.until((endpoint) => endpoint.state === 'ready' && endpoint.readySince !== again.readySince);
    assert.deepEqual(await statusesBy(host), [200], 'in processes with other settings');

    await serving().stop('wine');
    await serving().start({ modelName: 'wine', modelVersion: 1, port: null });
    assert.deepEqual(await statusesBy(host), [200], 'after a stop');

    await stage.reopen();
    await ready();
    assert.deepEqual(await statusesBy(host), [403], 'nothing of it was kept');
  });

  it('are of one endpoint, which must be there', async () => {
    await assert.rejects(
      serving().serveHost('beer', 'editor.example.com'),
      (error) => error instanceof SlipwayError && error.kind === 'notFound',
    );
  });
});
