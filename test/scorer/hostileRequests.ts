import fc from 'fast-check';

/** Requests at random: addresses, bodies and headers of which some are nearly right. */
const words = fc.constantFrom(
  ...[
    'v1',
    'v2',
    'V1',
    'models',
    'MODELS',
    'wine',
    'any',
    'kinds',
    'versions',
    'labels',
    '3',
    '4',
    '-1',
    '1e3',
  ],
  ...[
    'infer',
    'ready',
    'stats',
    'config',
    'metadata',
    'wine:predict',
    'kinds:classify',
    'wine:regress',
    ':predict',
  ],
  ...[
    'wine:explain',
    'any:PREDICT',
    'invocations',
    'ping',
    'health',
    'live',
    'metrics',
    'openapi.json',
    'try',
  ],
  ...['models.json', 'feedback', 'repository', 'index', 'load', 'unload', 'invoke', 'version', '', '.', '..'],
  ...['%2e%2e', '%2f', '%5c', '%00', '%', '%zz', '%c3%28', '%0d%0a', '..;', '*', '__proto__', 'constructor'],
);
const part = fc.oneof(
  { weight: 8, arbitrary: words },
  fc.webSegment(),
  fc.string({ maxLength: 12 }).map(encode),
);
export const path = fc
  .tuple(fc.array(part, { maxLength: 7 }), fc.option(fc.webQueryParameters(), { nil: undefined }))
  .map(([parts, query]) => `/${parts.join('/')}${query === undefined ? '' : `?${query}`}`);

function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

export const method = fc.constantFrom(
  'GET',
  'GET',
  'POST',
  'POST',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
);

const key = fc.oneof(
  fc.constantFrom(
    ...['inputs', 'instances', 'dataframe_split', 'dataframe_records', 'params', 'columns', 'data', 'index'],
    ...['examples', 'context', 'signature_name', 'x', 'a', 'b', 'c', 'y', 'any', 'name', 'shape', 'datatype'],
    ...[
      'outputs',
      'parameters',
      'id',
      'b64',
      'request_id',
      'truth',
      'reward',
      'model_name',
      '__proto__',
      'constructor',
    ],
    ...[
      'binary_data_size',
      'binary_data',
      'binary_data_output',
      'classification',
      'toString',
      'features',
      '',
    ],
  ),
  fc.string({ maxLength: 5 }),
);

export const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -0,
      1,
      1.5,
      -1,
      2 ** 53,
      1e308,
      '',
      'NaN',
      'Infinity',
      '1',
      [],
      {},
    ),
    fc.double(),
    fc.string({ unit: 'grapheme', maxLength: 8 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(key, tie('value'), { maxKeys: 4 }),
  ),
})).value;

/** Requests that nearly fit, with something else at one place. */
export const nearly = fc
  .tuple(
    fc.constantFrom<readonly [string, object]>(
      [
        '/v2/models/wine/infer',
        { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] }] },
      ],
      ['/v2/models/any/infer', { inputs: [{ name: 'any', datatype: 'FP32', shape: [2], data: [1, 2] }] }],
      ['/v1/models/wine:predict', { instances: [[1, 2, 3]] }],
      ['/v1/models/wine:predict', { instances: [{ a: 1, b: 2, c: 3 }] }],
      ['/v1/models/wine:predict', { inputs: { x: [[1, 2, 3]] } }],
      ['/v1/models/any:predict', { inputs: [[1], [2]] }],
      ['/v1/models/kinds:classify', { context: {}, examples: [{ x: [1, 2] }] }],
      ['/v1/models/wine:regress', { examples: [{ a: 1, b: 2, c: 3 }] }],
      ['/invocations', { dataframe_split: { index: [0], columns: ['a', 'b', 'c'], data: [[1, 2, 3]] } }],
      ['/invocations', { dataframe_records: [{ a: 1, b: 2, c: 3 }] }],
      ['/invocations', { inputs: { a: [1], b: [2], c: [3] } }],
      ['/models/kinds/invoke', { inputs: { x: [[1, 2]] } }],
      ['/v2/feedback', { request_id: 'a', truth: [1], reward: 1 }],
      ['/v2/repository/index', { ready: true }],
    ),
    fc.nat(),
    fc.option(value),
    key,
  )
  .map(([[address, body], place, replacement, name]) => ({
    address,
    body: JSON.stringify(changed(body, place, replacement, name)),
  }));

/** The same JSON with another value, or a further member, at its n-th place. */
function changed(json: unknown, place: number, replacement: unknown, name: string): unknown {
  const places: (readonly (string | number)[])[] = [];
  const visit = (at: unknown, here: readonly (string | number)[]) => {
    places.push(here);
    if (typeof at !== 'object' || at === null) return;
    for (const [index, inner] of Object.entries(at)) visit(inner, [...here, index]);
  };
  visit(json, []);
  const target = places[place % places.length] ?? [];
  const rebuild = (at: unknown, left: readonly (string | number)[]): unknown => {
    const [next, ...rest] = left;
    if (next === undefined)
      return place % 3 === 0 && isObject(at) ? withMember(at, name, replacement) : replacement;
    if (Array.isArray(at))
      return at.map((inner, index) => (String(index) === next ? rebuild(inner, rest) : inner));
    if (!isObject(at)) return at;
    return Object.fromEntries(
      Object.entries(at).map(([member, inner]) => [member, member === next ? rebuild(inner, rest) : inner]),
    );
  };
  return rebuild(json, target);
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === 'object' && json !== null && !Array.isArray(json);
}

function withMember(json: Record<string, unknown>, name: string, content: unknown): object {
  return Object.fromEntries([...Object.entries(json), [name, content]]);
}

export const headerName = fc.constantFrom(
  ...['Content-Type', 'Content-Encoding', 'Accept', 'Accept-Encoding', 'Expect', 'Host', 'Origin', 'Cookie'],
  ...[
    'Authorization',
    'Connection',
    'Upgrade',
    'Transfer-Encoding',
    'Content-Length',
    'X-Request-Id',
    'Range',
  ],
  ...[
    'Inference-Header-Content-Length',
    'X-Amzn-SageMaker-Target-Model',
    'X-Amzn-SageMaker-Custom-Attributes',
  ],
  ...['X-Slipway-Variant', 'X-Forwarded-For', 'Forwarded', 'Trailer', 'TE', '__proto__', 'constructor'],
);
export const headerValue = fc.oneof(
  fc.constantFrom(
    ...[
      'application/json',
      'text/csv',
      'application/jsonlines',
      'application/octet-stream',
      'text/csv; charset=x',
    ],
    ...[
      'gzip',
      'deflate',
      'identity',
      'br',
      'chunked',
      '100-continue',
      'close',
      'websocket',
      'h2c',
      '*/*',
      '7',
    ],
    ...[
      'localhost',
      '127.0.0.1:1',
      'evil.example',
      'null',
      'a'.repeat(2_000),
      '\u00ff\u0080',
      '; = ,,;',
      '-1',
      '0',
    ],
  ),
  fc.string({ maxLength: 30 }),
);
