#!/usr/bin/env node
import { keepCompiledCode } from '../supervision/compiledCode.ts';

/** Entry of the command line. The commands are in a bundle of their own, or they would be compiled before this runs. */

keepCompiledCode();
void import('./commandLine.ts')
  .then(({ runCommandLine }) => runCommandLine(process.argv.slice(2)))
  .then((code) => {
    process.exitCode = code;
  });
