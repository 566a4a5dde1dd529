import * as module from 'node:module';
import { extname, join } from 'node:path';

/**
 * Lets Node keep what it compiles, for this process from now on and for those that it starts: compiling the bundles is a
 * good part of the time until the first answer. It lies beside the bundles, so that it goes when they go, and only those
 * may write it who may change the program anyway; where nobody may, nothing is kept.
 */
export function keepCompiledCode(): void {
  // Sources change too often to be worth it.
  if (extname(import.meta.filename) === '.ts') return;
  // Whoever runs the program may have said where, or that it is not wanted.
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = process.env;
  if (NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE) return;
  const folder = join(import.meta.dirname, 'compiled');
  // Editors' own Node.js may be older than it.
  const status = module.enableCompileCache?.(folder)?.status;
  if (status === module.constants?.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = folder;
}
