/**
 * Versions whose loading took so long that nobody waits for it any more. What it waits for itself, such as a file that
 * does not come, holds a thread, and a process that exits waits for its threads.
 */
const late = new Set<Promise<unknown>>();

/** Notes one that nobody waits for any more. */
export function noteLate(load: Promise<unknown>): void {
  late.add(load);
  const forget = () => void late.delete(load);
  load.then(forget, forget);
}

/** Ends this process, whatever a thread of it waits for. */
export function exitProcess(code: number): void {
  if (late.size > 0) process.kill(process.pid, 'SIGKILL');
  process.exit(code);
}
