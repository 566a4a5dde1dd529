import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);
const folder = join(import.meta.dirname, '../fixtures/python');

/**
 * Runs a Python script of named checks (`peer_checks.py`).
 *
 * @returns by the title of a check: null where it holds, else the traceback.
 */
export async function runPeerChecks(
  python: string,
  script: string,
  argumentsOf: readonly string[],
): Promise<ReadonlyMap<string, string | null>> {
  const { stdout } = await execute(python, ['-W', 'ignore', join(folder, script), ...argumentsOf], {
    maxBuffer: 16 * 1024 * 1024,
  });
  const [last = '{}'] = stdout.trim().split('\n').slice(-1);
  return new Map(Object.entries<string | null>(JSON.parse(last)));
}

/** @throws AssertionError with the traceback, or when there was no such check. */
export function assertCheck(results: ReadonlyMap<string, string | null>, title: string): void {
  assert.ok(results.has(title), `There is no check "${title}".`);
  const traceback = results.get(title);
  if (traceback) assert.fail(traceback);
}
