import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { type Bindings, bind, compare, type Difference, fill } from './placeholders.ts';

/** One call of the dialect, and what MLflow answers to it. Texts may hold placeholders such as `<run:1>`. */
export interface Exchange {
  /** Unique in its file: what is called, and the how-manieth such call it is. */
  readonly name: string;
  readonly request: ExchangeRequest;
  readonly answer: ExpectedAnswer;
}

export interface ExchangeRequest {
  readonly method: string;
  /** As it goes over the wire, without the query. */
  readonly path: string;
  readonly query?: readonly (readonly [string, string])[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Content type of `text`; of `json` it is JSON. Null sends none. */
  readonly type?: string | null;
  readonly json?: unknown;
  readonly text?: string;
}

export interface ExpectedAnswer {
  readonly status: number;
  readonly type: string;
  readonly disposition?: string;
  readonly json?: unknown;
  readonly text?: string;
}

/** A place of an answer that is not as MLflow's. */
export interface AnswerDifference extends Difference {
  readonly exchange: string;
}

const folder = join(import.meta.dirname, '../fixtures/dialect');

/** The exchanges of a file of `test/fixtures/dialect`, in the order in which they must be played. */
export function readExchanges(file: string): readonly Exchange[] {
  const lines = readFileSync(join(folder, file), 'utf8').trimEnd().split('\n');
  return lines.map((line): Exchange => JSON.parse(line, expand));
}

/**
 * Writes out what the files say in short: `<v*6000>` is 6000 times "v"; `{"<list>": 3, "of": item}` is a list of 3 such
 * items, in which `<index>` counts.
 */
function expand(_key: string, value: unknown): unknown {
  if (typeof value === 'string') {
    return value.replace(/<(.)\*(\d+)>/g, (_, letter: string, count: string) => letter.repeat(Number(count)));
  }
  if (typeof value !== 'object' || value === null || !('<list>' in value && 'of' in value)) return value;
  const item = JSON.stringify(value.of);
  return Array.from({ length: Number(value['<list>']) }, (_, index) =>
    JSON.parse(item.replaceAll('"<index>"', String(index)).replaceAll('<index>', String(index))),
  );
}

/** What came of a replay. */
export interface Replay {
  /** All that is not as expected, in order. */
  readonly differences: readonly AnswerDifference[];
  readonly bindings: Bindings;
}

/** Plays exchanges in their order against the server at `url`. */
export async function replay(url: string, exchanges: readonly Exchange[]): Promise<Replay> {
  const bindings: Bindings = new Map();
  const differences: AnswerDifference[] = [];
  for (const { name, request, answer } of exchanges) {
    const found = compareAnswers(answer, await send(url, request, bindings), bindings);
    differences.push(...found.map((difference) => ({ exchange: name, ...difference })));
  }
  return { differences, bindings };
}

function compareAnswers(
  expected: ExpectedAnswer,
  actual: ActualAnswer,
  bindings: Bindings,
): readonly Difference[] {
  const { status, type, disposition, text } = expected;
  const body = parse(actual.text);
  const isOther = status !== actual.status && 'json' in expected;
  return [
    ...compare('status', status, actual.status, bindings),
    ...compare('type', type, actual.type, bindings),
    ...(disposition === undefined ? [] : compare('disposition', disposition, actual.disposition, bindings)),
    // Of an answer of another kind it says nothing which of its fields differ.
    ...(isOther ? [{ place: 'json', expected: expected.json, actual: body }] : []),
    ...(!isOther && 'json' in expected ? compare('json', expected.json, body, bindings) : []),
    ...(text === undefined ? [] : compare('text', text, actual.text, bindings)),
  ];
}

interface ActualAnswer {
  readonly status: number | undefined;
  readonly type: string | undefined;
  readonly disposition: string | undefined;
  readonly text: string;
}

/** Paths go over the wire as they stand, which `fetch` would not do: it resolves `..` before it asks. */
function send(url: string, request: ExchangeRequest, bindings: Bindings): Promise<ActualAnswer> {
  const query = new URLSearchParams(
    (request.query ?? []).map(([key, value]) => [key, bind(value, bindings)]),
  ).toString();
  const body =
    'json' in request
      ? JSON.stringify(fill(request.json, bindings))
      : request.text === undefined
        ? undefined
        : bind(request.text, bindings);
  const type = request.type === undefined && 'json' in request ? 'application/json' : request.type;
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const call = httpRequest(
      {
        hostname,
        port,
        method: request.method,
        path: bind(request.path, bindings) + (query === '' ? '' : `?${query}`),
        headers: {
          ...(type ? { 'content-type': type } : {}),
          ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...request.headers,
        },
        agent: false,
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode,
            type: response.headers['content-type'],
            disposition: response.headers['content-disposition'],
            text: Buffer.concat(pieces).toString('utf8'),
          }),
        );
      },
    );
    call.on('error', reject);
    call.end(body);
  });
}

/** An answer that should be JSON and is not is compared as the text that it is. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
