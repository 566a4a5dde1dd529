import { existsSync, renameSync, rmSync, statSync } from 'node:fs';

/** SQLite's file and what belongs to it while its last writer did not close it. */
const parts = ['', '-wal', '-shm'] as const;

/**
 * Gives an inference log, which no process may have open, to another endpoint. A log that is there already, of an
 * endpoint that was forgotten, is kept beside it under a name that no endpoint can have.
 */
export function moveInferenceLog(from: string, to: string): void {
  if (existsSync(to) && !isSameFile(from, to))
    moveParts(to, to.replace(/\.db$/, `.replaced-${Date.now()}.db`));
  moveParts(from, to);
}

/** Deletes an inference log, which no process may have open. */
export function deleteInferenceLog(file: string): void {
  // Last what the others belong to: SQLite would take them for those of a later log of this name.
  for (const part of parts.toReversed()) rmSync(file + part, { force: true });
}

function moveParts(from: string, to: string): void {
  for (const part of parts) if (existsSync(from + part)) renameSync(from + part, to + part);
}

/** Where the file system does not tell `Wine` from `wine`. */
function isSameFile(one: string, other: string): boolean {
  return existsSync(one) && statSync(one).ino === statSync(other).ino;
}
