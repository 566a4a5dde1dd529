import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadTestPlan } from '../../../src/protocol/loadTest.ts';
import { runStep } from '../../../src/worker/loadTest/constantRate.ts';
import { runLoadTest } from '../../../src/worker/loadTest/run.ts';
import { createTarget } from '../../../src/worker/loadTest/target.ts';
import { errorOfKind } from '../../errorOfKind.ts';

describe('a load test', () => {
  let server: Server;
  let received: { readonly authorization: string | undefined; readonly body: string }[];
  let connections: number;
  /** Answers; by default at once. */
  let answer: (respond: (status?: number) => void) => void;

  beforeEach(async () => {
    received = [];
    connections = 0;
    answer = (respond) => respond();
    server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += String(chunk);
      });
      request.on('end', () => {
        received.push({ authorization: request.headers.authorization, body });
        answer((status = 200) => response.writeHead(status).end(status === 200 ? '{}' : '{"error":"no"}'));
      });
    });
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const job = (plan: object) => ({
    type: 'loadTest' as const,
    endpoint: 'wine',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/models/wine/infer`,
    token: 'secret',
    body: '{"inputs":[]}',
    plan: loadTestPlan.parse(plan),
  });
  const silent = { progress: () => undefined, step: () => undefined };

  it('sends as many requests as are due, with token and body, over connections that it keeps', async () => {
    const { plan, ...rest } = job({ seconds: 0.5 });
    const target = createTarget({ ...rest, plan });
    const step = await runStep(target, 100, plan);
    target.breakOff();
    assert.equal(step.sentCount, 50);
    assert.equal(step.errorCount, 0);
    assert.equal(received.length, 50);
    assert.deepEqual(received[0], { authorization: 'Bearer secret', body: '{"inputs":[]}' });
    assert.ok(connections < 50, `${connections} connections`);
    const { latencyP50, latencyP95, latencyP99, latencyMax } = step;
    assert.ok(latencyP50 !== null && latencyP95 !== null && latencyP99 !== null && latencyMax !== null);
    assert.ok(0 < latencyP50 && latencyP50 <= latencyP95 && latencyP95 <= latencyP99);
    assert.ok(latencyP99 <= latencyMax);
  });

  it('counts the time that requests had to wait for one that was slow', async () => {
    // The endpoint stands still for 300 ms, once. Whoever waits for the answer before sending the next request would
    // see one slow answer among fifty fast ones.
    let stalled: ((status?: number) => void)[] | null = null;
    answer = (respond) => {
      if (received.length === 5) {
        stalled = [respond];
        setTimeout(() => {
          for (const late of stalled ?? []) late();
          stalled = null;
        }, 300);
      } else if (stalled) stalled.push(respond);
      else respond();
    };
    const { plan, ...rest } = job({ seconds: 0.5 });
    const target = createTarget({ ...rest, plan });
    const step = await runStep(target, 100, plan);
    target.breakOff();
    assert.equal(step.sentCount, 50);
    assert.ok(step.latencyP50 !== null && step.latencyP50 > 30, `half of them waited: ${step.latencyP50}`);
    assert.ok(step.latencyMax !== null && step.latencyMax >= 290);
  });

  it('measures from when a request was due, also where it was sent late itself', async () => {
    const { plan, ...rest } = job({ seconds: 0.5 });
    const target = createTarget({ ...rest, plan });
    setTimeout(() => {
      const until = performance.now() + 250;
      while (performance.now() < until);
    }, 100);
    const step = await runStep(target, 100, plan);
    target.breakOff();
    assert.equal(step.sentCount, 50);
    assert.ok(step.lateP99 > 100, `late by ${step.lateP99}`);
    assert.ok(step.latencyP95 !== null && step.latencyP95 > 100, `p95 ${step.latencyP95}`);
  });

  it('finds where an endpoint fails, and tells each step as it ends', async () => {
    let ofLate = 0;
    answer = (respond) => {
      ofLate += 1;
      setTimeout(() => {
        ofLate -= 1;
      }, 500);
      respond(ofLate > 60 ? 503 : 200);
    };
    const told: number[] = [];
    const fractions: number[] = [];
    const report = await runLoadTest(
      job({ firstRate: 50, lastRate: 400, seconds: 0.5, latencyLimit: 5000 }),
      {
        step: ({ rate }) => told.push(rate),
        progress: (fraction) => fractions.push(fraction),
      },
    );
    assert.deepEqual(
      told,
      report.steps.map(({ rate }) => rate),
    );
    assert.ok(fractions.every((fraction) => fraction >= 0 && fraction <= 1));
    const failing = report.steps.filter(({ holds }) => !holds);
    assert.ok(failing.length > 0 && failing.every(({ errorCount }) => errorCount > 0));
    assert.ok(report.highestRate === null || report.highestRate < 200, `${report.highestRate}`);
  });

  it('says so when the endpoint refuses the request, before it sends many', async () => {
    answer = (respond) => respond(400);
    await assert.rejects(runLoadTest(job({}), silent), (error) => {
      assert.ok(errorOfKind('loadTestRefused')(error));
      assert.match(String(error), /status 400: {"error":"no"}/);
      return true;
    });
    assert.equal(received.length, 1);
  });

  it('says so when nothing answers', async () => {
    const there = job({});
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await assert.rejects(runLoadTest(there, silent), errorOfKind('endpointNotReady'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });

  it('takes an answer that breaks off for an error', async () => {
    const { plan, ...rest } = job({ seconds: 0.5 });
    answer = () => server.closeAllConnections();
    const target = createTarget({ ...rest, plan });
    const step = await runStep(target, 20, plan);
    assert.equal(step.errorCount, step.sentCount);
    assert.deepEqual([step.latencyP99, step.answeredRate, step.holds], [null, 0, false]);
  });
});
