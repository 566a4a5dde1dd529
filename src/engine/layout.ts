import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { explainRefusal } from '../protocol/errors.ts';

/** Where things lie in a workspace folder's `.slipway/`. */
export interface StoreLayout {
  readonly root: string;
  readonly database: string;
  readonly artifacts: string;
  readonly inference: string;
  readonly cache: string;
  /** Notes of files that are to be removed, so that a removal that was cut short is finished later. */
  readonly removals: string;
  /** Stores that a restore replaced. */
  readonly replaced: string;
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
    removals: join(root, 'removals'),
    replaced: join(root, 'replaced'),
  };
}

/**
 * Creates `.slipway/` and the `.gitignore` that keeps all of it out of version control.
 *
 * @throws SlipwayError `diskFull` or `storeNotWritable`
 */
export function createStore(layout: StoreLayout): void {
  try {
    for (const folder of [layout.root, layout.artifacts, layout.inference, layout.cache]) {
      mkdirSync(folder, { recursive: true });
    }
    const ignored = join(layout.root, '.gitignore');
    if (!existsSync(ignored)) writeFileSync(ignored, '*\n');
  } catch (error) {
    throw explainRefusal(error, layout.root);
  }
}

/** The inference log of an endpoint. Its name is encoded, so that it cannot leave the folder. */
export function inferenceLogFile(layout: StoreLayout, endpoint: string): string {
  return join(layout.inference, `${encodeURIComponent(endpoint).replaceAll('.', '%2E')}.db`);
}
