import type { DataFormat } from '../../protocol/scoring.ts';

/** Finds DuckDB's type for a column of JSON values. */
export interface ColumnType {
  add(value: unknown): void;
  /** Texts stay texts, whatever they look like; what no other type holds is JSON. */
  sql(format: DataFormat): string;
}

type Kind =
  | 'boolean'
  | 'integer'
  | 'negative'
  | 'unsigned'
  | 'float'
  | 'infinite'
  | 'text'
  | 'list'
  | 'other';

const largestSigned = 2n ** 63n - 1n;

export function createColumnType(): ColumnType {
  const kinds = new Set<Kind>();
  let element: ColumnType | null = null;
  const only = (...some: readonly Kind[]) =>
    kinds.size > 0 && [...kinds].every((kind) => some.includes(kind));
  return {
    add(value) {
      if (value === null || value === undefined) return;
      kinds.add(kindOf(value));
      if (!Array.isArray(value)) return;
      element ??= createColumnType();
      for (const member of value) element.add(member);
    },
    sql(format) {
      if (kinds.size === 0 || only('text')) return 'VARCHAR';
      if (only('list')) return `${element?.sql(format) ?? 'VARCHAR'}[]`;
      if (only('boolean')) return 'BOOLEAN';
      if (only('integer', 'negative')) return 'BIGINT';
      if (only('integer', 'unsigned')) return 'UBIGINT';
      if (only('integer', 'negative', 'unsigned')) return 'DECIMAL(20,0)';
      // JSON has no infinite numbers: the texts that stand for them stay as they are.
      if (kinds.has('infinite') && format === 'jsonl') return 'JSON';
      if (only('integer', 'negative', 'unsigned', 'float', 'infinite')) return 'DOUBLE';
      return only('text', 'infinite') ? 'VARCHAR' : 'JSON';
    },
  };
}

function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return value < 0n ? 'negative' : value > largestSigned ? 'unsigned' : 'integer';
    case 'number':
      if (!Number.isSafeInteger(value)) return 'float';
      return value < 0 ? 'negative' : 'integer';
    case 'string':
      return value === 'Infinity' || value === '-Infinity' ? 'infinite' : 'text';
    default:
      return Array.isArray(value) ? 'list' : 'other';
  }
}
