import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where things lie in a workspace folder's `.slipway/`. */
export interface StoreLayout {
  readonly root: string;
  readonly database: string;
  readonly artifacts: string;
  readonly inference: string;
  readonly cache: string;
}

/** The layout of a workspace folder, given as an absolute path. Creates nothing. */
export function storeLayout(workspace: string): StoreLayout {
  const root = join(workspace, '.slipway');
  return {
    root,
    database: join(root, 'store.db'),
    artifacts: join(root, 'artifacts'),
    inference: join(root, 'inference'),
    cache: join(root, 'cache'),
  };
}

/** Creates `.slipway/` and the `.gitignore` that keeps all of it out of version control. */
export function createStore(layout: StoreLayout): void {
  for (const folder of [layout.root, layout.artifacts, layout.inference, layout.cache]) {
    mkdirSync(folder, { recursive: true });
  }
  try {
    writeFileSync(join(layout.root, '.gitignore'), '*\n', { flag: 'wx' });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}

/** The inference log of an endpoint. Its name is encoded, so that it cannot leave the folder. */
export function inferenceLogFile(layout: StoreLayout, endpoint: string): string {
  return join(layout.inference, `${encodeURIComponent(endpoint).replaceAll('.', '%2E')}.db`);
}
