import assert from 'node:assert/strict';
import type { ScorerOrder } from '../../../src/supervision/scorerProcess.ts';
import { scriptedSupervisor, servingOf } from './scriptedScorers.ts';

describe('A host name that is named while an endpoint runs', () => {
  const hosts = (orders: readonly ScorerOrder[]) =>
    orders.flatMap((order) => (order.type === 'host' ? order.host : []));
  const declared = (processes: number) => ({
    ...servingOf([1], processes),
    options: { inferenceLog: null, hosts: ['declared.example'] },
  });

  it('reaches all of its scorers, and those that are started later', async () => {
    const { supervisor, scorers, launched } = scriptedSupervisor();
    await supervisor.start(declared(2), null);
    await supervisor.serveHost('named.example');
    assert.deepEqual(
      scorers.map(({ orders }) => hosts(orders)),
      [['named.example'], ['named.example']],
    );
    scorers[0]?.end('it crashed');
    const third = await launched(3);
    assert.deepEqual(third.serving.options.hosts, ['declared.example', 'named.example']);

    await supervisor.stop();
    await supervisor.serveHost('later.example');
    await supervisor.start(servingOf([1]), null);
    const last = await launched(4);
    assert.deepEqual(last.serving.options.hosts, ['named.example', 'later.example']);
    assert.deepEqual(hosts(last.orders), []);
    await supervisor.stop();
  });

  it('reaches one that is being started, beside others that are not ready', async () => {
    const { supervisor, launched } = scriptedSupervisor({ ready: false });
    const starting = supervisor.start(declared(2), null);
    const [first, second] = [await launched(1), await launched(2)];
    await supervisor.serveHost('early.example');
    assert.deepEqual(hosts(first.orders), [], 'it could not obey yet');
    first.becomeReady();
    for (let turn = 0; turn < 100 && hosts(first.orders).length === 0; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await supervisor.serveHost('between.example');
    second.becomeReady();
    await starting;
    const all = ['early.example', 'between.example'];
    assert.deepEqual([hosts(first.orders), hosts(second.orders)], [all, all]);
    await supervisor.stop();
  });

  it('does not make the settings differ: a change of versions is still a matter of orders', async () => {
    const { supervisor, scorers } = scriptedSupervisor();
    await supervisor.start(declared(1), null);
    await supervisor.serveHost('named.example');
    await supervisor.start({ ...servingOf([2]), options: declared(1).options }, null);
    assert.equal(scorers.length, 1);
    await supervisor.stop();
  });

  it('is no failure where a scorer ends meanwhile', async () => {
    const { supervisor, scorers, launched } = scriptedSupervisor();
    await supervisor.start(servingOf([1]), null);
    const [first] = scorers;
    assert.ok(first);
    first.pause = () => new Promise(() => undefined);
    const naming = supervisor.serveHost('named.example');
    first.end('it crashed');
    await naming;
    assert.deepEqual((await launched(2)).serving.options.hosts, ['named.example']);
    await supervisor.stop();
  });
});
