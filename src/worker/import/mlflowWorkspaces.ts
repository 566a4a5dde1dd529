import type { Row } from './mlflowTables.ts';

/**
 * Since 2026 an MLflow server keeps several workspaces in one database, each with names of its own. The default one's names
 * stand as they are; those of others have their workspace before them, so that they stay apart.
 */
export function nameInWorkspace(row: Row, separator: string): string {
  const workspace = String(row.workspace ?? 'default');
  const name = String(row.name ?? '');
  return workspace === 'default' ? name : `${workspace}${separator}${name}`;
}
