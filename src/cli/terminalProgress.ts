import type { WriteStream } from 'node:tty';

/** How far a command is, on the last line of a terminal; nothing where no person looks. */
export interface TerminalProgress {
  /** Told a share between 0 and 1, and what there is to say besides. */
  show(fraction: number, detail?: string): void;
  clear(): void;
}

export function createTerminalProgress(stream: WriteStream): TerminalProgress {
  let shown = '';
  const write = (text: string) => {
    if (!stream.isTTY || text === shown) return;
    stream.write(`\r${text.padEnd(shown.length)}${text === '' ? '\r' : ''}`);
    shown = text;
  };
  return {
    show: (fraction, detail = '') =>
      write(`${Math.floor(100 * Math.min(1, fraction))} %${detail === '' ? '' : ` · ${detail}`}`),
    clear: () => write(''),
  };
}
