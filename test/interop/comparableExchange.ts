import type { RecordedExchange } from './recordingProxy.ts';

/** An exchange without what differs from one server to another by chance: ids, times, made-up names, page tokens. */
export interface ComparableExchange {
  readonly step: string;
  /** Method and path, such as `GET /api/2.0/mlflow/runs/get`. Ids in it are `<id>`. */
  readonly call: string;
  readonly request: unknown;
  readonly answer: unknown;
}

const artifactProxy = '/api/2.0/mlflow-artifacts/artifacts';
/** A file that holds times and ids, so that its size and text are its own. */
const livelyFile = /(^|\/)(MLmodel|model\.(pkl|skops)|traces\.json|get-trace-artifact)$/;
const id = /(?:m-|tr-|a-)?\b[0-9a-f]{32}\b/g;
const madeUpName = /^[a-z]+-[a-z]+-\d+$/;
/** Python shows a set in another order each time. */
const pythonSet = /\{('[^']*'(?:, '[^']*')*)\}/g;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const millisecondTime = /\b1[6-9]\d{11}\b/g;
const [earliestTime, latestTime] = [1_600_000_000_000, 2_000_000_000_000];
/** Fields whose values no two recordings share. */
const lively: Readonly<Record<string, string>> = {
  next_page_token: '<token>',
  page_token: '<token>',
  execution_duration: '<duration>',
  execution_time_ms: '<duration>',
  'mlflow.trace.sizeStats': '<size>',
  'mlflow.trace.sizeBytes': '<size>',
  stack_trace: '<stack>',
};

/** Makes the exchanges of one recording comparable with those of another. Ids are numbered as they come. */
export function makeComparable(exchanges: readonly RecordedExchange[]): readonly ComparableExchange[] {
  const numbers = new Map<string, number>();
  const replaceIds = (text: string) =>
    text.replace(id, (found) => {
      const bare = found.replace(/^(m|tr|a)-/, '');
      const number = numbers.get(bare) ?? numbers.size + 1;
      numbers.set(bare, number);
      return found.replace(bare, `<id ${number}>`);
    });
  const calm = (value: unknown, key = '', parent = ''): unknown => {
    if (Object.hasOwn(lively, key) && value !== '' && value !== null) return lively[key];
    if (typeof value === 'number') return value > earliestTime && value < latestTime ? '<time>' : value;
    if (typeof value === 'string') return calmText(replaceIds(value));
    if (Array.isArray(value)) {
      const items = value.map((item) => calm(item));
      if (isMap(key, parent)) return items.toSorted(byKey);
      return key === 'metrics' ? items.toSorted(byRun) : items;
    }
    if (typeof value !== 'object' || value === null) return value;
    const calmed = Object.entries(value).map(
      ([name, item]) => [replaceIds(name), calm(item, name, key)] as const,
    );
    const fields: Record<string, unknown> = Object.fromEntries(calmed);
    // Tags and metadata may travel as lists of keys and values.
    if (typeof fields.key === 'string' && Object.hasOwn(lively, fields.key))
      fields.value = lively[fields.key];
    if (typeof fields.path === 'string' && livelyFile.test(fields.path)) fields.file_size = '<size>';
    return fields;
  };

  const comparable = exchanges.map(({ step, method, path, query, requestBody, ...answer }) => {
    const isFile = path.startsWith(`${artifactProxy}/`) && method !== 'DELETE';
    return {
      step,
      call: `${method} ${calmText(replaceIds(path)).replace(/<id \d+>/g, '<id>')}`,
      path: replaceIds(path),
      request: {
        query: query.map(([key, value]) => [key, calm(value, key)]),
        body: isFile && livelyFile.test(path) ? '<file>' : calm(parse(requestBody)),
      },
      answer: {
        status: answer.status,
        type: answer.type,
        disposition: calm(answer.disposition),
        body: bodyOf(path, answer.type, answer.body, calm),
      },
    };
  });
  return parallelInOrder(comparable).map(({ path: _, ...exchange }) => exchange);
}

function bodyOf(path: string, type: string, body: Buffer, calm: (value: unknown) => unknown): unknown {
  if (path === '/version') return '<version>';
  if (livelyFile.test(path)) return '<file>';
  // What a page of HTML says is for people: that it is one tells the client that there is no such call.
  return type === 'text/html' && body.length > 20 ? '<page>' : calm(parse(body));
}

/** Files go up and come down several at once, so their order among each other is chance. */
function parallelInOrder<
  Exchange extends { readonly step: string; readonly path: string; readonly call: string },
>(exchanges: readonly Exchange[]): readonly Exchange[] {
  const groups: Exchange[][] = [];
  const isParallel = ({ path }: Exchange) => path.startsWith(artifactProxy);
  for (const exchange of exchanges) {
    const group = groups.at(-1);
    const last = group?.[0];
    if (group && last && isParallel(last) && isParallel(exchange) && last.step === exchange.step)
      group.push(exchange);
    else groups.push([exchange]);
  }
  return groups.flatMap((group) =>
    group.toSorted((a, b) =>
      `${a.path} ${a.call} ${JSON.stringify(a)}` < `${b.path} ${b.call} ${JSON.stringify(b)}` ? -1 : 1,
    ),
  );
}

/** Tags, parameters and latest metrics are maps that travel as lists: MLflow gives them in no order of their own. */
function isMap(key: string, parent: string): boolean {
  return (
    key === 'tags' ||
    key === 'params' ||
    key === 'request_metadata' ||
    (key === 'metrics' && parent === 'data')
  );
}

function byKey(a: unknown, b: unknown): number {
  const keyOf = (item: unknown) =>
    typeof item === 'object' && item !== null && 'key' in item ? `${item.key} ${JSON.stringify(item)}` : '';
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

/** Points of several runs come run by run, in the order of their ids, which is chance. */
function byRun(a: unknown, b: unknown): number {
  const runOf = (item: unknown) =>
    typeof item === 'object' && item !== null && 'run_id' in item ? String(item.run_id) : '';
  return runOf(a) < runOf(b) ? -1 : Number(runOf(a) > runOf(b));
}

function calmText(text: string): string {
  if (isoTime.test(text) && !text.startsWith('19')) return '<time>';
  if (madeUpName.test(text)) return '<name>';
  return text
    .replace(millisecondTime, '<time>')
    .replace(pythonSet, (_, items: string) => `{${items.split(', ').sort().join(', ')}}`);
}

/** JSON, or the text that it is; nothing when it is empty. Where MLflow sends no message it writes NaN bare. */
function parse(body: Buffer): unknown {
  const text = body.toString('utf8');
  if (text === '') return null;
  for (const json of [text, text.replace(/(?<=[:[,] ?)NaN(?=[,}\]])/g, '"NaN"')]) {
    try {
      return JSON.parse(json);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return text;
}
