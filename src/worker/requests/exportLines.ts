import type { DataFormat } from '../../protocol/scoring.ts';
import { identifier, literal, pathLiteral } from '../duckdb/sql.ts';
import { type ColumnType, createColumnType } from './columnType.ts';
import { loggedText, parseLogged } from './loggedJson.ts';
import type { Feedback, RequestRow } from './requestRows.ts';

/** The rows of an export as JSON lines, whose columns are known when all are written. */
export interface ExportLines {
  /** The lines of a request, one for each of its rows. */
  of(request: RequestRow, feedback: Feedback): Iterable<string>;
  readonly rows: number;
  /** The query that reads them from a file. */
  query(file: string, format: DataFormat): string;
}

/** Columns that every request has. */
const fixedTypes = {
  request_id: 'VARCHAR',
  received_at: 'BIGINT',
  model: 'VARCHAR',
  version: 'BIGINT',
  variant: 'VARCHAR',
  status: 'INTEGER',
  latency_ms: 'DOUBLE',
  row: 'BIGINT',
} as const;

/** DuckDB's own least; a longer line needs a longer buffer. */
const usualLineBytes = 16 * 1024 * 1024;

export function createExportLines(): ExportLines {
  const inputs = createNamedColumns('i');
  const outputs = createNamedColumns('o');
  const truthType = createColumnType();
  let rows = 0;
  let longest = 0;

  return {
    *of(request, feedback) {
      const truth = feedback.truth === null ? null : parseLogged(feedback.truth);
      const given = columnsOf('inputs', request.inputs);
      const predicted = columnsOf('outputs', request.outputs);
      const count = Math.max(1, request.rowCount);
      for (let row = 0; row < count; row++) {
        const line: Record<string, unknown> = {
          request_id: request.requestId,
          received_at: request.receivedAt,
          model: request.model,
          version: request.version,
          variant: request.variant,
          status: request.status,
          latency_ms: request.latencyMicroseconds / 1000,
          row,
          truth: ofRow(truth, row, request.rowCount),
          reward: feedback.reward,
        };
        truthType.add(line.truth);
        for (const [name, values] of given) inputs.put(line, name, ofRow(values, row, request.rowCount));
        for (const [name, values] of predicted) {
          outputs.put(line, name, ofRow(values, row, request.rowCount));
        }
        const text = `${loggedText(line)}\n`;
        longest = Math.max(longest, Buffer.byteLength(text));
        rows += 1;
        yield text;
      }
    },
    get rows() {
      return rows;
    },
    query(file, format) {
      const named = [...inputs.all(format), ...outputs.all(format)];
      const types = [
        ...Object.entries(fixedTypes),
        ...named.map(({ key, type }) => [key, type] as const),
        ['truth', truthType.sql(format)] as const,
        ['reward', 'DOUBLE'] as const,
      ];
      const columns = types.map(([key, type]) => `${identifier(key)}: ${literal(type)}`).join(', ');
      const selected = [
        ...Object.keys(fixedTypes).map((name) =>
          name === 'received_at' ? 'epoch_ms(received_at) AS received_at' : identifier(name),
        ),
        ...named.map(({ key, name }) => `${key} AS ${identifier(name)}`),
        'truth',
        'reward',
      ];
      const bytes = Math.max(usualLineBytes, longest + 1);
      return `SELECT ${selected.join(', ')} FROM read_json(${pathLiteral(file)}, format = 'newline_delimited',
        maximum_object_size = ${bytes}, columns = {${columns}})`;
    },
  };
}

/** Columns under keys of their own: their names may be any text, and SQL does not tell `Age` from `age`. */
function createNamedColumns(prefix: string) {
  const found = new Map<string, { readonly key: string; readonly type: ColumnType }>();
  const add = (line: Record<string, unknown>, name: string, value: unknown): void => {
    const column = found.get(name) ?? { key: `${prefix}${found.size}`, type: createColumnType() };
    found.set(name, column);
    column.type.add(value);
    if (value !== null) line[column.key] = value;
  };
  return {
    /** Scores by class become a column for each class. */
    put(line: Record<string, unknown>, name: string, value: unknown): void {
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        for (const [label, score] of Object.entries(value)) add(line, `${name}.${label}`, score);
      } else add(line, name, value);
    },
    all: (format: DataFormat) =>
      [...found].map(([name, { key, type }]) => ({ key, name, type: type.sql(format) })),
  };
}

/** What belongs to a row: an element for each row, or else all of it to the first one. */
function ofRow(values: unknown, row: number, rowCount: number): unknown {
  if (Array.isArray(values) && values.length === rowCount) return values[row] ?? null;
  return row === 0 ? (values ?? null) : null;
}

function columnsOf(side: string, json: string | null): readonly (readonly [string, unknown])[] {
  const columns = json === null ? null : parseLogged(json);
  if (typeof columns !== 'object' || columns === null) return [];
  return Object.entries(columns).map(([name, values]) => [`${side}.${name}`, values]);
}
