import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { BegunScorer } from '../supervision/begunScorer.ts';
import { UsageError } from './usageError.ts';

/** One command of `slipway`, such as `up`. */
export interface Command {
  /** How it is called and what it does, as `slipway --help` shows it: lines that begin with two spaces. */
  readonly usage: string;
  /** Runs it with the arguments after its name and gives the exit code: 0 done, 1 failed. Throws `UsageError`. */
  run(args: readonly string[], scorer: BegunScorer | null): Promise<number>;
}

/** Reads options and positional arguments. Throws `UsageError` for those that the command does not know. */
export function readArguments<const Config extends ParseArgsConfig>(
  args: readonly string[],
  config: Config,
): ReturnType<typeof parseArgs<Config & { args: string[] }>> {
  try {
    return parseArgs({ ...config, args: [...args] });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}
