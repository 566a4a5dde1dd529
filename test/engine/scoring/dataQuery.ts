import { DuckDBInstance, type JS } from '@duckdb/node-api';

/** Rows that DuckDB gives for a query over files, such as `SELECT * FROM '/…/x.parquet'`. */
export async function query(sql: string): Promise<readonly Readonly<Record<string, JS>>[]> {
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  });
  const connection = await instance.connect();
  try {
    const result = await connection.runAndReadAll(sql);
    return result.getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
