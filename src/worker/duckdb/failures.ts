import { SlipwayError } from '../../protocol/errors.ts';

/** The SlipwayError for what DuckDB says when it cannot read a file: `dataUnreadable`. */
export function readingFailure(error: unknown, path: string): unknown {
  if (error instanceof SlipwayError) return error;
  const full = fullDisk(error, path);
  if (full) return full;
  return new SlipwayError('dataUnreadable', { path, detail: plainDetail(error) }, { cause: error });
}

/** The SlipwayError for what DuckDB or the file system say when a file cannot be written: `diskFull`, `scoreWriteFailed`. */
export function writingFailure(error: unknown, path: string): unknown {
  if (error instanceof SlipwayError) return error;
  const full = fullDisk(error, path);
  if (full) return full;
  return new SlipwayError('scoreWriteFailed', { path, detail: plainDetail(error) }, { cause: error });
}

function fullDisk(error: unknown, path: string): SlipwayError | null {
  const isFull = /ENOSPC|EDQUOT|EFBIG|No space left|quota exceeded|File too large|not enough space/i.test(
    messageOf(error),
  );
  return isFull ? new SlipwayError('diskFull', { path }, { cause: error }) : null;
}

/** What is wrong in one line, without DuckDB's advice on its own options. */
function plainDetail(error: unknown): string {
  const [known = ''] = messageOf(error).split(/\n\s*(?:Possible |Try |LINE \d|file = )/, 1);
  const detail = known
    .replace(/^(?:\w+ )*Error: /, '')
    .replace(/(Original Line: [^\n]{80})[^\n]*/, '$1…')
    .replaceAll(/\s*\n\s*/g, ' ')
    .trim();
  return detail.length > 400 ? `${detail.slice(0, 400)}…` : detail;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
