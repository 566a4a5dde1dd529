import manifest from '../../package.json' with { type: 'json' };
import type { BegunScorer } from '../supervision/begunScorer.ts';
import { backupCommand } from './backup.ts';
import { checkCommand } from './check.ts';
import type { Command } from './command.ts';
import { exportCommand } from './export.ts';
import { gcCommand } from './gc.ts';
import { importCommand } from './import.ts';
import { packageCommand } from './package.ts';
import { requestsCommand } from './requests.ts';
import { restoreCommand } from './restore.ts';
import { scoreCommand } from './score.ts';
import { serveCommand } from './serve.ts';
import { tuneCommand } from './tune.ts';
import { upCommand } from './up.ts';
import { usageCommand } from './usage.ts';
import { UsageError } from './usageError.ts';

/** Every command by its name, in the order of `slipway --help`. */
const commands: Readonly<Record<string, Command>> = {
  up: upCommand,
  serve: serveCommand,
  score: scoreCommand,
  requests: requestsCommand,
  package: packageCommand,
  tune: tuneCommand,
  import: importCommand,
  export: exportCommand,
  gc: gcCommand,
  usage: usageCommand,
  backup: backupCommand,
  restore: restoreCommand,
  check: checkCommand,
};

const usage = `slipway: MLOps in your editor, and without it

Usage:
${Object.values(commands)
  .map((command) => command.usage)
  .join('\n')}
  slipway --help | --version

Options of every command:
  --workspace DIR   the folder whose .slipway/ holds the store (default: this folder)
  --json            prints JSON instead of sentences, one line for each result; up always does

Exit codes: 0 done, 1 failed or something is wrong (told on standard error), 2 not understood.`;

/**
 * Runs one command line and gives its exit code: 0 done, 1 failed, 2 not understood. A command that runs in the
 * foreground resolves when it ended.
 *
 * @param scorer a process that was begun for `serve`.
 */
export async function runCommandLine(
  argv: readonly string[],
  scorer: BegunScorer | null = null,
): Promise<number> {
  const [first, ...rest] = argv;
  if (first === undefined) {
    console.error(usage);
    return 2;
  }
  if ([first, ...rest].some((argument) => argument === '--help' || argument === '-h')) {
    console.log(usage);
    return 0;
  }
  if (first === '--version') {
    console.log(manifest.version);
    return 0;
  }
  try {
    const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
    if (command === undefined) throw new UsageError(`unknown command "${first}"`);
    return await command.run(rest, scorer);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`slipway: ${error.message}\nRun "slipway --help" for what it understands.`);
    return 2;
  }
}
