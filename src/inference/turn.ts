/**
 * The turns of the event loop. In the first half of one, what has arrived is read, piece by piece; at its end all of it
 * is there, and goes on together. Nobody waits for what is yet to come.
 */

let ending: Promise<void> | null = null;
let isEnding = false;

/** Resolves at the end of this turn, for all who wait in it. */
export function endOfTurn(): Promise<void> {
  ending ??= new Promise((resolve) => setImmediate(end, resolve));
  return ending;
}

/** Calls back once all that has arrived in this turn has come as far as who calls. */
export function afterThisTurn(work: () => void): void {
  // At its end they come one after the other, each as far as it can, before the next tick.
  if (isEnding) process.nextTick(work);
  else setImmediate(work);
}

function end(resolve: () => void): void {
  ending = null;
  isEnding = true;
  resolve();
  // Promises come before the tick that one of them asks for, however many of them follow one another.
  queueMicrotask(() => process.nextTick(ended));
}

function ended(): void {
  isEnding = false;
}
