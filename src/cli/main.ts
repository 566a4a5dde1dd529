#!/usr/bin/env node
import { beginScorer } from '../supervision/begunScorer.ts';
import { keepCompiledCode } from '../supervision/compiledCode.ts';
import { complaintAboutNode } from '../supervision/nodeVersion.ts';
import { scripts } from './scripts.ts';

/** Entry of the command line. The commands are in a bundle of their own, or they would be compiled before this runs. */

const complaint = complaintAboutNode(process.versions.node);
if (complaint === null) {
  run();
} else {
  process.stderr.write(
    `slipway: ${complaint} In its repository, "npx node dist/cli.cjs" runs with the right one.\n`,
  );
  process.exitCode = 1;
}

function run(): void {
  keepCompiledCode();
  const argv = process.argv.slice(2);
  // What serving waits for longest starts first. A model of Python needs another runtime.
  const isServing = argv[0] === 'serve' && !argv.includes('--allow-python');
  const scorer = isServing
    ? beginScorer(scripts.scorer, argv.includes('--no-log') ? ['runtime'] : ['runtime', 'log'])
    : null;
  void import('./commandLine.ts')
    .then(({ runCommandLine }) => runCommandLine(argv, scorer))
    .then((code) => {
      process.exitCode = code;
    })
    .finally(() => scorer?.discard());
}
