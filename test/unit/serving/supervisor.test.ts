import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { openDoor } from '../../../src/supervision/door.ts';
import { isEnded, modelOf, scriptedSupervisor, servingOf, splitTo } from './scriptedScorers.ts';

describe('supervisor of scorers', () => {
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });
  const supervise = (options?: Parameters<typeof scriptedSupervisor>[0]) => {
    const stage = scriptedSupervisor(options);
    stops.push(() => stage.supervisor.stop());
    return stage;
  };
  const withLog = (sample: number) => ({
    ...servingOf([1]),
    options: { inferenceLog: { file: '/log.db', sample } },
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) await delay(2);
  };
  const connectTo = (port: number | null) => {
    const connection = connect(port ?? 0, '127.0.0.1');
    connection.on('error', () => undefined).resume();
    return connection;
  };

  it('ends a connection that comes back after the stop, and hands on those that come after the next start', async () => {
    const { supervisor, scorers } = supervise();
    await supervisor.start(servingOf([1]), null);
    const first = connectTo(supervisor.status().port);
    await until(() => scorers[0]?.taken.length === 1);
    await supervisor.stop();
    assert.ok(await isEnded(first), 'nobody answers it any more');
    await supervisor.start(servingOf([1]), null);
    const second = connectTo(supervisor.status().port);
    await until(() => scorers[1]?.taken.length === 1 || second.destroyed);
    assert.equal(scorers[1]?.taken.length, 1);
    second.destroy();
  });

  it('ends a connection that comes back to a closed door which leads nowhere', async () => {
    const door = await openDoor('http', '127.0.0.1', 0);
    const accepted = new Promise<Socket>((resolve) => door.leadTo(resolve));
    const client = connectTo(door.port);
    const connection = await accepted;
    door.leadTo(null);
    await door.close();
    door.receive(connection);
    assert.ok(await isEnded(client));
  });

  it('follows a scorer that ended while another one was still starting', async () => {
    const { supervisor, settings, launched } = supervise({ ready: false });
    const started = supervisor.start(servingOf([1], 2), null);
    const [one, other] = [await launched(1), await launched(2)];
    one.becomeReady();
    await delay(10);
    one.end('it crashed');
    await delay(10);
    settings.ready = true;
    other.becomeReady();
    await started;
    const replacement = await launched(3);
    await supervisor.load(modelOf(2));
    assert.deepEqual(
      [one, other, replacement].map(({ orders }) => orders.length),
      [0, 1, 1],
    );
    assert.equal(supervisor.status().crashCount, 1);
  });

  it('tells a scorer that starts again all that was decided meanwhile, a moment before it is ready, too', async () => {
    const { supervisor, settings, launched } = supervise();
    await supervisor.start(servingOf([1, 2]), null);
    settings.ready = false;
    (await launched(1)).end('it crashed');
    const next = await launched(2);
    await supervisor.route(splitTo(2));
    await supervisor.label('wine', 1, ['old']);
    let late: Promise<void> | null = null;
    next.pause = async () => {
      late ??= supervisor.route({ ...splitTo(1), salt: 'late' });
      await late;
    };
    next.becomeReady();
    await until(() => supervisor.status().state === 'ready');
    const routes = next.orders.flatMap((order) => (order.type === 'route' ? [order.traffic.salt] : []));
    assert.deepEqual(routes, ['s', 'late']);
    const labels = next.orders.flatMap((order) => (order.type === 'label' ? [order.labels] : []));
    assert.deepEqual(labels, [['old']]);
  });

  it('keeps the sample that was asked for last, though another start was under way', async () => {
    const { supervisor, launched } = supervise();
    await supervisor.start(withLog(1), null);
    const scorer = await launched(1);
    const loading = Promise.withResolvers<void>();
    scorer.pause = (order) => (order.type === 'load' ? loading.promise : Promise.resolve());
    const started = supervisor.start({ ...withLog(0.5), models: [modelOf(1), modelOf(2)] }, null);
    const kept = supervisor.keepShare(0.1);
    loading.resolve();
    await Promise.all([started, kept]);
    const told = scorer.orders.flatMap((order) => (order.type === 'sample' ? [order.share] : []));
    assert.deepEqual(told, [0.5, 0.1]);
    assert.equal(supervisor.serving()?.options.inferenceLog?.sample, 0.1);
    scorer.end('it crashed');
    assert.equal((await launched(2)).serving.options.inferenceLog?.sample, 0.1);
  });

  it('leads traffic while not all of its scorers run yet', async () => {
    const { supervisor, settings, launched, scorers } = supervise();
    await supervisor.start(servingOf([1, 2], 2), null);
    settings.ready = false;
    for (const scorer of [...scorers]) scorer.end('it crashed');
    const third = await launched(3);
    third.becomeReady();
    const fourth = await launched(4);
    await supervisor.route(splitTo(2));
    assert.deepEqual(third.orders, [{ type: 'route', traffic: splitTo(2) }]);
    fourth.becomeReady();
    await until(() => supervisor.status().state === 'ready');
    assert.deepEqual(fourth.orders, [{ type: 'route', traffic: splitTo(2) }]);
  });

  it('stays failed when a scorer becomes ready after one crash too many', async () => {
    const { supervisor, settings, launched } = supervise();
    await supervisor.start(servingOf([1], 2), null);
    const port = supervisor.status().port;
    for (const count of [2, 3, 4]) {
      settings.ready = count < 4;
      (await launched(count)).end('it crashed');
      await launched(count + 1);
      await delay(5);
    }
    (await launched(1)).end('it crashed');
    const late = await launched(5);
    late.becomeReady();
    await late.process.ended;
    await delay(20);
    assert.equal(supervisor.status().state, 'failed');
    assert.ok(await isEnded(connectTo(port)), 'nothing listens any more');
  });

  it('tries a version in one process before the others are told to load it', async () => {
    const { supervisor, scorers } = supervise();
    await supervisor.start(servingOf([1], 2), null);
    const [one, other] = scorers;
    if (one) one.refuses = ({ type }) => type === 'load';
    await assert.rejects(supervisor.load(modelOf(2)), /refuses/);
    assert.deepEqual(other?.orders, []);
  });

  it('keeps a version in no process when one of them cannot load it', async () => {
    const { supervisor, scorers } = supervise();
    await supervisor.start(servingOf([1], 2), null);
    const [one, other] = scorers;
    if (other) other.refuses = ({ type }) => type === 'load';
    await assert.rejects(supervisor.load(modelOf(2)), /refuses/);
    assert.deepEqual(
      one?.orders.map(({ type }) => type),
      ['load', 'unload'],
    );
    assert.deepEqual(
      supervisor.versions().map(({ version }) => version),
      [1],
    );
  });

  it('leads all of its scorers as before when one of them refuses', async () => {
    const { supervisor, scorers } = supervise();
    await supervisor.start(servingOf([1, 2], 2), null);
    const [one, other] = scorers;
    if (one) one.refuses = (order) => order.type === 'route' && order.traffic.variants[0]?.version === 2;
    await assert.rejects(supervisor.route(splitTo(2)), /refuses/);
    assert.deepEqual(other?.orders.at(-1), { type: 'route', traffic: splitTo(1) });
    assert.deepEqual(supervisor.serving()?.traffic, [splitTo(1)]);
  });

  it('gives the door back when all of its scorers crash while others fail to take over', async () => {
    const { supervisor, settings, launched } = supervise();
    await supervisor.start(servingOf([1]), null);
    const port = supervisor.status().port;
    settings.ready = false;
    const moving = supervisor.start({ ...servingOf([1]), processes: 2 }, null);
    const next = [await launched(2), await launched(3)];
    (await launched(1)).end('it crashed');
    for (const scorer of next) scorer.end('it does not start');
    await assert.rejects(moving, /does not start/);
    assert.equal(supervisor.status().state, 'failed');
    assert.ok(await isEnded(connectTo(port)), 'nothing listens any more');
  });

  it('says at once that one of several scorers crashed', async () => {
    const { supervisor, settings, launched, changes } = supervise();
    await supervisor.start(servingOf([1], 2), null);
    settings.ready = false;
    const before = changes();
    (await launched(2)).end('it crashed');
    await launched(3);
    assert.equal(supervisor.status().state, 'ready');
    assert.ok(changes() > before);
    (await launched(3)).becomeReady();
  });
});
