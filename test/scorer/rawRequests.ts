import { connect } from 'node:net';

/** What came back over a socket until it closed, or until nothing came for a while. */
export interface RawAnswer {
  readonly text: string;
  /** The statuses of the answers, in order. */
  readonly statuses: readonly number[];
  /** Whether the server ended the connection. */
  readonly closed: boolean;
}

/**
 * Writes bytes to a port as they are and gives what comes back.
 *
 * @param quietMilliseconds how long nothing may come before the wait ends.
 */
export function sendRaw(
  port: number,
  parts: readonly (string | Buffer)[],
  quietMilliseconds = 400,
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    let ended = false;
    const done = (closed: boolean) => {
      if (ended) return;
      ended = true;
      socket.destroy();
      const text = Buffer.concat(chunks).toString('latin1');
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
      resolve({ text, statuses, closed });
    };
    socket.setTimeout(quietMilliseconds, () => done(false));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => done(true));
    socket.on('close', () => done(true));
    // A server that has answered may reset a connection over which more comes than it reads.
    socket.on('error', () => done(true));
    for (const part of parts) socket.write(part);
  });
}

/** The resident memory of a process in bytes (Linux); null elsewhere. */
export async function residentBytes(pid: number): Promise<number | null> {
  if (process.platform !== 'linux') return null;
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kilobytes === undefined ? null : Number(kilobytes) * 1024;
}

/**
 * What no answer of a scorer may hold: a stack trace, a path of the disk, a source place.
 */
export const leak =
  /\n\s+at |\bat [\w.<>]+ \(|node:internal|file:\/\/|\.(?:ts|cjs|cc)\b:\d|\/(?:tmp|home|root|usr|work)\//;
