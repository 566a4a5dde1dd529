import { globSync } from 'node:fs';
import { basename, join } from 'node:path';
import { buildExtension } from './build.ts';
import { repository } from './cacheFolder.ts';
import { allPythonPeers } from './pythonPeers.ts';

/**
 * Runs the benchmarks: every `test/bench/*.bench.ts`, which exports `run()` and prints its own figures.
 *
 *   npm run bench                   all
 *   npm run bench -- logging        those whose name contains it
 */
const wanted = process.argv.slice(2);
Object.assign(process.env, await allPythonPeers());
await buildExtension();
for (const file of globSync('test/bench/*.bench.ts', { cwd: repository }).sort()) {
  const name = basename(file, '.bench.ts');
  if (wanted.length > 0 && !wanted.some((part) => name.includes(part))) continue;
  console.log(`\n${name}`);
  const bench: { readonly run: () => Promise<void> } = await import(join(repository, file));
  await bench.run();
}
