import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

const left = new Set<ChildProcess>();

/** Remembers a process until it ends by itself. */
export function watchProcess<Child extends ChildProcess>(child: Child): Child {
  left.add(child);
  child.once('exit', () => left.delete(child));
  return child;
}

/**
 * For `afterEach`: ends the processes that a failed test left behind, which would keep the whole test run from ending, and
 * waits for their end.
 */
export async function endLeftProcesses(): Promise<void> {
  const ended = [...left].map((child) => once(child, 'exit'));
  for (const child of left) child.kill('SIGKILL');
  await Promise.all(ended);
}
