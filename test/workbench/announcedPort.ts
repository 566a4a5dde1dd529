import type { ChildProcessByStdio } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

/**
 * The port that a server says that it listens on.
 *
 * @param announcement the line, with the port as its first group.
 * @throws Error with all that it said, when it ends before.
 */
export function announcedPort(
  child: ChildProcessByStdio<null, Readable, Readable>,
  announcement: RegExp,
  name: string,
): Promise<number> {
  const lines: string[] = [];
  return new Promise((resolve, reject) => {
    const read = (line: string): void => {
      lines.push(line);
      const match = announcement.exec(line);
      if (match) resolve(Number(match[1]));
    };
    createInterface(child.stdout).on('line', read);
    createInterface(child.stderr).on('line', read);
    child.once('error', reject);
    child.once('close', () => reject(new Error(`${name} did not start.\n${lines.join('\n')}`)));
  });
}
