import assert from 'node:assert/strict';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Endpoint } from '../../src/engine/http/dialect.ts';
import { evilPaths } from './artifactsCorpus.ts';
import { plantSeeds, type Seeds, type ValidMessage, validMessages } from './dialectMessages.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

/** How many mutated messages each endpoint gets. */
const rounds = Number(process.env.SLIPWAY_FUZZ_ROUNDS ?? 30);

/** What a file holds that no answer may show. */
const secret = 'the secret beside the store';

/** In the name of whatever a mutated message would write where it must not. */
const marker = 'slipway-was-here';

/** Values at the edges of every type, and those that injections are made of. */
const edgeValues: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53 + 2,
  -(2 ** 63),
  '',
  ' ',
  '0',
  '-1',
  'NaN',
  '-Infinity',
  '9223372036854775807',
  '99999999999999999999',
  'latest',
  'constructor',
  '__proto__',
  "' OR 1=1 --",
  '"; DROP TABLE runs; --',
  "metrics.`a` > 1 AND tags.b LIKE '%'",
  "metrics.a > 1 AND (tags.b IN ('x','y'",
  'name DESC, name DESC',
  'WzEyMyw0NTZd',
  Buffer.from('["x"]').toString('base64'),
  'é'.repeat(300),
  'x'.repeat(20_000),
  '\u0000',
  '\ud800',
  '<img src=x onerror=alert(1)>',
  `../../${marker}`,
  `..%2f..%2f${marker}`,
  `/tmp/${marker}`,
  `file:///tmp/${marker}`,
  `mlflow-artifacts:/../../${marker}`,
  'http://169.254.169.254/latest',
  'runs:/x/../../etc',
  [],
  [null],
  [[]],
  ['x', 1],
  {},
  [{}],
  [{ key: null, value: {} }],
  { key: 'a', value: 'b' },
];

type Key = string | number;

/** Every place in a message at which a value stands. */
function placesOf(value: unknown, at: readonly Key[] = []): readonly (readonly Key[])[] {
  if (typeof value !== 'object' || value === null) return [at];
  const entries: readonly (readonly [Key, unknown])[] = Array.isArray(value)
    ? value.map((item, index) => [index, item] as const)
    : Object.entries(value);
  return [...(at.length > 0 ? [at] : []), ...entries.flatMap(([key, item]) => placesOf(item, [...at, key]))];
}

/** The message with another value at a place; without it when the value is `undefined`. */
function replaced(value: unknown, [key, ...rest]: readonly Key[], replacement: unknown): unknown {
  if (key === undefined) return replacement;
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? replaced(item, rest, replacement) : item));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      name === key ? replaced(item, rest, replacement) : item,
    ]),
  );
}

const edgeValue = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...edgeValues) },
  { weight: 1, arbitrary: fc.constantFrom(...evilPaths) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.constant(undefined) },
);
const mutation = fc.tuple(fc.nat(), edgeValue);

function mutate(message: ValidMessage, mutations: readonly (readonly [number, unknown])[]): ValidMessage {
  let mutated: unknown = message;
  for (const [index, value] of mutations) {
    const places = placesOf(mutated);
    const place = places[index % places.length];
    if (place) mutated = replaced(mutated, place, value);
  }
  return typeof mutated === 'object' && mutated !== null ? { ...mutated } : {};
}

/** `GET /mlflow/runs/get` for `/api/2.0/mlflow/runs/get`. */
function nameOf({ method, path }: Endpoint): string {
  return `${method} ${path.replace(/^\/(?:ajax-)?api\/\d\.0/, '')}`;
}

/** Text for a place in a URL; what has no form there is sent as JSON. */
function urlText(value: unknown): string {
  return (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed();
}

/** The path with its parameters filled in; an empty one would be another endpoint. */
function fillPath(path: string, message: ValidMessage): string {
  return path
    .replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(urlText(message[name])) || 'x')
    .replace('*', () => urlText(message['*']).split('/').map(encodeURIComponent).join('/') || 'x');
}

function requestOf(endpoint: Endpoint, message: ValidMessage): readonly [path: string, init: RequestInit] {
  const path = fillPath(endpoint.path, message);
  if (endpoint.method !== 'GET') {
    const headers = { 'content-type': 'application/json' };
    return [path, { method: endpoint.method, headers, body: JSON.stringify(message) }];
  }
  const query = new URLSearchParams(
    Object.entries(message).flatMap(([key, value]) =>
      (Array.isArray(value) ? value : [value]).map((item) => [key, urlText(item)]),
    ),
  );
  return [`${path}?${query}`, { method: 'GET' }];
}

describe('Every endpoint of the dialect, with messages that are wrong in places', function () {
  this.timeout(120_000);
  let engine: RegistryEngine;
  let endpoints: readonly Endpoint[];
  before(async () => {
    engine = await openRegistryEngine();
    writeFileSync(join(engine.folder, 'secret.txt'), secret);
    const paths = new Set(engine.endpoints.map(({ path }) => path));
    // Nearly all are there a second time, for web pages.
    endpoints = engine.endpoints.filter(
      ({ path }) => !(path.startsWith('/ajax-api/') && paths.has(path.replace('/ajax-api/', '/api/'))),
    );
  });
  after(() => engine.close());

  const assertNothingElseWritten = () => {
    assert.deepEqual(
      readdirSync(engine.folder).filter((name) => !name.startsWith('store.db')),
      ['artifacts', 'secret.txt'],
    );
    for (const folder of [engine.folder, tmpdir(), '/', '/tmp', process.cwd()]) {
      assert.equal(existsSync(join(folder, marker)), false, folder);
    }
  };
  const assertHarmless = async (response: Response, asked: string) => {
    const { status } = response;
    const text = await response.text();
    assert.ok(status < 500 || status === 501, `${status} to ${asked}: ${text.slice(0, 400)}`);
    assert.ok(!text.includes(secret), asked);
    assert.doesNotMatch(text, /node_modules|\bat .+\.[cm]?[jt]s:\d+/, asked);
    if (status >= 400 && ![404, 405].includes(status))
      assert.equal(typeof JSON.parse(text).message, 'string', asked);
  };

  it('has a valid message in this test', async () => {
    const messages = validMessages(await plantSeeds(engine));
    assert.deepEqual(
      endpoints.map(nameOf).filter((name) => !Object.hasOwn(messages, name)),
      [],
    );
  });

  it('understands those that are right', async () => {
    for (const endpoint of endpoints) {
      const messages = validMessages(await plantSeeds(engine));
      const message = messages[nameOf(endpoint)] ?? {};
      const response = await engine.fetch(...requestOf(endpoint, message));
      await assertHarmless(response, nameOf(endpoint));
      const text = nameOf(endpoint);
      // Those that we answer as MLflow answers where it lacks them, and those that ask for what is not there.
      const isLacking =
        response.status === 501 ||
        /alias|tag|upload-artifact|get-trace-artifact|restore|log-model$|traces\/get$|presigned-upload-url$/.test(
          text,
        );
      if (!isLacking) assert.equal(response.status, 200, text);
    }
  });

  it('never fails, tells nothing, and writes nothing outside of the store', async () => {
    for (const endpoint of endpoints) {
      const seeds: Seeds = await plantSeeds(engine);
      const valid = validMessages(seeds)[nameOf(endpoint)] ?? {};
      await fc.assert(
        fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
          const message = mutate(valid, mutations);
          const response = await engine.fetch(...requestOf(endpoint, message));
          await assertHarmless(response, `${nameOf(endpoint)} ${JSON.stringify(message).slice(0, 500)}`);
        }),
        { numRuns: rounds },
      );
      assertNothingElseWritten();
    }
  });

  it('never fails on a body that is no message', async () => {
    const bodies = [
      '',
      ' ',
      '{',
      '[]',
      'null',
      '1',
      '"{}"',
      '"x"',
      '{"a":',
      '\u0000',
      '[[[[',
      `"${'\\"'.repeat(50)}"`,
    ];
    const types = [
      'application/json',
      'application/json; charset=latin1',
      'text/plain',
      'multipart/form-data',
      '',
    ];
    for (const endpoint of endpoints.filter(({ method }) => method !== 'GET')) {
      const message = validMessages(await plantSeeds(engine))[nameOf(endpoint)] ?? {};
      for (const body of bodies) {
        for (const type of types) {
          const response = await engine.fetch(fillPath(endpoint.path, message), {
            method: endpoint.method,
            headers: { 'content-type': type },
            body,
          });
          await assertHarmless(response, `${nameOf(endpoint)} ${type} ${body}`);
        }
      }
    }
    assertNothingElseWritten();
  });
});
