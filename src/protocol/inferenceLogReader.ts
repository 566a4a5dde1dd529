import { z } from 'zod';
import { headField, headLength, inferenceLogVersion, noHead } from './inferenceLogTables.ts';
import {
  type LoggedValue,
  namedValues,
  namedValuesText,
  type Side,
  type ValueLayout,
  valueLayout,
} from './loggedValues.ts';
import type { LoggedRequestEntry, RequestFilter } from './requests.ts';

/** A request as an inference log holds it. */
export interface LoggedRequest
  extends Omit<LoggedRequestEntry, 'latencyMilliseconds' | 'inputs' | 'outputs'> {
  readonly latencyMicroseconds: number;
  /** How much its values take in the file. */
  readonly bytes: number;
  /** JSON text, as `inferenceLogTables.ts` describes it; null when it was refused, or the log forgot it meanwhile. */
  text(side: Side): string | null;
  /** The same by name. Integers of 64 bits are bigints where a number may not hold them. */
  values(side: Side): ReadonlyMap<string, LoggedValue> | null;
}

/** Which requests are looked at; what is left out or null means any. */
export interface LogRange extends Partial<Pick<RequestFilter, 'from' | 'to' | 'requestId'>> {
  /** Only ids from there on. */
  readonly since?: number;
  /** Only ids below. */
  readonly before?: number;
}

/** From when to when a log reaches, UTC milliseconds, and how many rows it holds. */
export interface LogExtent {
  /** Null, as the other, when it holds no rows. */
  readonly firstRequest: number | null;
  readonly lastRequest: number | null;
  readonly rowCount: number;
}

/** Reads an inference log that its scorer may be writing to at the same time. */
export interface InferenceLogReader {
  /** Ids are from `first` up to, and without, `next`. */
  ids(): { readonly first: number; readonly next: number };
  /** Of the requests that have rows and were no shadow's. */
  extent(): LogExtent;
  newestFirst(range: LogRange): IterableIterator<LoggedRequest>;
  oldestFirst(range: LogRange): IterableIterator<LoggedRequest>;
}

/** What is needed of a connection to a log. */
export interface LogConnection {
  pragma(source: string, options: { readonly simple: true }): unknown;
  prepare(source: string): { get(parameters: Readonly<Record<string, unknown>>): unknown };
}

/** @throws Error when the log is of another version. */
export function createInferenceLogReader(log: LogConnection): InferenceLogReader {
  const version = Number(log.pragma('user_version', { simple: true }));
  // Its scorer is just making the tables.
  if (version === 0) {
    return { ids: () => noIds, extent: () => noExtent, newestFirst: nothing, oldestFirst: nothing };
  }
  if (version !== inferenceLogVersion) throw new Error('it was written by another version of Slipway');
  const open = createBlockOpener(log);
  const findIds = log.prepare(
    'SELECT min(id) AS first, (SELECT id + request_count FROM blocks ORDER BY id DESC LIMIT 1) AS next FROM blocks',
  );
  const findExtent = log.prepare(
    `SELECT min(first_row_at) AS firstRequest, max(last_row_at) AS lastRequest, coalesce(sum(row_count), 0) AS rowCount
     FROM blocks`,
  );
  const findLowest = log.prepare(
    `SELECT max(coalesce((SELECT max(id) FROM blocks WHERE id <= @since), 0),
       CASE WHEN @from IS NULL THEN 0 ELSE (SELECT min(id) FROM blocks WHERE last_at >= @from) END) AS id`,
  );
  function* requests(range: LogRange, { after, order, start }: Order): IterableIterator<LoggedRequest> {
    const { from = null, since = 0, requestId } = range;
    // Once: blocks below hold nothing of the range.
    const { id: lowest } = lowestRow.parse(findLowest.get({ from, since }));
    if (lowest === null) return;
    const query = log.prepare(blockQuery(range, after, order));
    const quotedId = JSON.stringify(requestId);
    let bound = start;
    for (;;) {
      const found = query.get({ ...range, lowest, quotedId, bound });
      if (found === undefined) return;
      const block = open(found);
      for (let step = 0; step < block.count; step++) {
        const index = order === 'ASC' ? step : block.count - 1 - step;
        if (isWithin(block, index, range)) yield block.request(index);
      }
      bound = block.id;
    }
  }
  return {
    ids() {
      const { first, next } = idsRow.parse(findIds.get({}));
      return first === null || next === null ? noIds : { first, next };
    },
    extent: () => extentRow.parse(findExtent.get({})),
    newestFirst: (range) => requests(range, { after: '<', order: 'DESC', start: Number.MAX_SAFE_INTEGER }),
    oldestFirst: (range) => requests(range, { after: '>', order: 'ASC', start: noHead }),
  };
}

/** How blocks follow one another. */
interface Order {
  readonly after: '<' | '>';
  readonly order: 'ASC' | 'DESC';
  /** An id before that of the first one. */
  readonly start: number;
}

/** Whether a request is one of those that are meant. */
export function isMeant(
  { model, version, variant, status, receivedAt, requestId }: LoggedRequest,
  filter: RequestFilter,
): boolean {
  return (
    (filter.from === null || receivedAt >= filter.from) &&
    (filter.to === null || receivedAt <= filter.to) &&
    (filter.version === null || (model !== null && version === filter.version)) &&
    (filter.variant === null || variant === filter.variant) &&
    (filter.failed === null || status >= 400 === filter.failed) &&
    (filter.requestId === null || requestId === filter.requestId)
  );
}

function* nothing(): IterableIterator<LoggedRequest> {}

function isGiven(value: unknown): boolean {
  return value !== null && value !== undefined;
}

/** The next block that may hold requests of a range. One at a time, so that nothing holds the file up. */
function blockQuery(range: LogRange, after: Order['after'], order: Order['order']): string {
  const conditions = [`id ${after} @bound`, 'id >= @lowest'];
  if (isGiven(range.from)) conditions.push('last_at >= @from');
  if (isGiven(range.to)) conditions.push('first_at <= @to');
  if (isGiven(range.before)) conditions.push('id < @before');
  if (isGiven(range.requestId)) conditions.push('instr(request_ids, @quotedId) > 0');
  return `SELECT id, request_count AS count, request_ids AS requestIds, variants, heads FROM blocks
    WHERE ${conditions.join(' AND ')} ORDER BY id ${order} LIMIT 1`;
}

const noIds = { first: 1, next: 1 };
const idsRow = z.object({ first: z.number().nullable(), next: z.number().nullable() });
const noExtent: LogExtent = { firstRequest: null, lastRequest: null, rowCount: 0 };
const extentRow = z.object({
  firstRequest: z.number().nullable(),
  lastRequest: z.number().nullable(),
  rowCount: z.number(),
});
const lowestRow = z.object({ id: z.number().nullable() });
const blockRow = z.object({
  id: z.number(),
  count: z.number(),
  requestIds: z.string(),
  variants: z.string(),
  heads: z.instanceof(Uint8Array),
});
const texts = z.array(z.string());
const tensorsRow = z.object({ tensors: z.instanceof(Uint8Array) });
const modelRow = z.object({ name: z.string(), version: z.number(), layout: z.string() });

interface Block {
  readonly id: number;
  readonly count: number;
  /** @param field a place of `headField`. */
  number(index: number, field: number): number;
  requestId(index: number): string;
  request(index: number): LoggedRequest;
}

interface LoggedModel {
  readonly name: string;
  readonly version: number;
  readonly layout: ValueLayout;
}

function createBlockOpener(log: LogConnection): (row: unknown) => Block {
  const models = new Map<number, LoggedModel>();
  const findModel = log.prepare('SELECT name, version, layout FROM models WHERE id = @id');
  const findTensors = log.prepare('SELECT tensors FROM blocks WHERE id = @id');
  const modelOf = (id: number): LoggedModel => {
    const known = models.get(id);
    if (known) return known;
    const { name, version, layout } = modelRow.parse(findModel.get({ id }));
    const model = { name, version, layout: valueLayout.parse(JSON.parse(layout)) };
    models.set(id, model);
    return model;
  };
  return (row) => {
    const { id, count, requestIds, variants, heads } = blockRow.parse(row);
    // Numbers need a place in memory that the driver's bytes may not have.
    const numbers = new Float64Array(new Uint8Array(heads).buffer);
    if (numbers.length !== count * headLength) throw new RangeError('a block of requests is damaged');
    const ids = texts.parse(JSON.parse(requestIds));
    const names = texts.parse(JSON.parse(variants));
    const number = (index: number, field: number) => numbers[index * headLength + field] ?? 0;
    let tensors: Uint8Array | null = null;
    const packedOf = (index: number): Uint8Array | null => {
      const begin = number(index, headField.begin);
      if (begin === noHead) return null;
      const found = tensors ?? findTensors.get({ id });
      // The log has just forgotten it.
      if (found === undefined) return null;
      tensors ??= tensorsRow.parse(found).tensors;
      return tensors.subarray(begin, number(index, headField.end));
    };
    return {
      id,
      count,
      number,
      requestId: (index) => ids[index] ?? '',
      request(index) {
        const modelId = number(index, headField.model);
        const model = modelId === noHead ? null : modelOf(modelId);
        const begin = number(index, headField.begin);
        const packed = () => (model ? packedOf(index) : null);
        return {
          id: id + index,
          requestId: ids[index] ?? '',
          receivedAt: number(index, headField.receivedAt),
          model: model?.name ?? null,
          version: model?.version ?? null,
          variant: names[number(index, headField.variant)] ?? '',
          rowCount: number(index, headField.rowCount),
          status: number(index, headField.status),
          latencyMicroseconds: number(index, headField.latencyMicroseconds),
          bytes: begin === noHead ? 0 : number(index, headField.end) - begin,
          text(side) {
            const bytes = packed();
            return model && bytes && namedValuesText(model.layout, bytes, side);
          },
          values(side) {
            const bytes = packed();
            return model && bytes && namedValues(model.layout, bytes, side);
          },
        };
      },
    };
  };
}

function isWithin(block: Block, index: number, { from, to, requestId, since, before }: LogRange): boolean {
  const id = block.id + index;
  const receivedAt = block.number(index, headField.receivedAt);
  return (
    (from === null || from === undefined || receivedAt >= from) &&
    (to === null || to === undefined || receivedAt <= to) &&
    (since === undefined || id >= since) &&
    (before === undefined || id < before) &&
    (requestId === null || requestId === undefined || block.requestId(index) === requestId)
  );
}
