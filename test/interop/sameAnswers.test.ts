import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { allowedDifferences } from './allowedDifferences.ts';
import { makeComparable } from './comparableExchange.ts';
import { differencesBetween, type ExchangeDifference, isAllowed } from './exchangeDifferences.ts';
import { startMlflowServer } from './mlflowServer.ts';
import { openRecordingProxy, type RecordedExchange } from './recordingProxy.ts';
import { runPython } from './registryPython.ts';

const script = readFileSync(join(import.meta.dirname, '../fixtures/python/every_call.py'), 'utf8');
const startPatience = 120_000;

/** All that a script and the server at `url` say to each other. */
async function record(python: string, url: string, token: string): Promise<readonly RecordedExchange[]> {
  const proxy = await openRecordingProxy(url);
  try {
    await runPython(python, script, { url: proxy.url, token });
    return proxy.exchanges;
  } finally {
    await proxy.close();
  }
}

describe("The same calls to Slipway and to MLflow's own server", () => {
  let engine: TrackingEngine;
  let ours: readonly RecordedExchange[];
  let differences: readonly ExchangeDifference[];

  before(async function () {
    const python = pythonWithPeers(this);
    this.timeout(900_000);
    engine = await openTrackingEngine();
    ours = await record(python, engine.url, engine.token);
    const server = await startMlflowServer(python, startPatience);
    try {
      const theirs = await record(python, server.url, engine.token);
      differences = differencesBetween(makeComparable(ours), makeComparable(theirs));
    } finally {
      server.close();
    }
  });
  after(() => engine?.close());

  it('get the same answers, but where it is said why not', () => {
    const unexplained = differences.filter(
      (difference) => !allowedDifferences.some((allowed) => isAllowed(difference, allowed)),
    );
    assert.equal(unexplained.length, 0, unexplained.slice(0, 40).map(describeDifference).join('\n\n'));
  });

  it('differ wherever that is said', () => {
    const gone = allowedDifferences.filter(
      (allowed) => !differences.some((difference) => isAllowed(difference, allowed)),
    );
    assert.deepEqual(gone, []);
  });

  it('are all that the dialect can be asked for', () => {
    const asked = (path: string) => path.replace(/^\/ajax-api\//, '/api/');
    const patterns = engine.endpoints
      .filter(({ path }) => !path.includes('/slipway/'))
      .map(({ method, path }) => ({
        name: `${method} ${path}`,
        method,
        pattern: new RegExp(
          `^${asked(path)
            .replace(/\{\w+\}/g, '[^/]+')
            .replace('*', '.+')}$`,
        ),
      }));
    const missing = patterns.filter(
      ({ method, pattern }) => !ours.some((call) => call.method === method && pattern.test(asked(call.path))),
    );
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });
});

function describeDifference({ step, call, at, ours, theirs, request }: ExchangeDifference): string {
  const shown = (value: unknown) => JSON.stringify(value)?.slice(0, 600) ?? 'nothing';
  return `${step}: ${call} at ${at}\n  asked  ${shown(request)}\n  ours   ${shown(ours)}\n  theirs ${shown(theirs)}`;
}
