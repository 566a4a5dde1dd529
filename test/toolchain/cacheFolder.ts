import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where downloaded tools are kept between runs: a VS Code server, the Python peers. Safe to delete. */
export const cacheFolder = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'slipway');

/** The folder of this repository. */
export const repository = join(import.meta.dirname, '..', '..');
