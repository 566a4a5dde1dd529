import { existsSync } from 'node:fs';
import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportDetection } from '../../protocol/importing.ts';
import { readers } from './readers.ts';

/**
 * What every reader finds at an absolute path; a reader that cannot look there finds nothing.
 *
 * @throws SlipwayError `importUnreadable` when there is nothing at the path, or all that recognised something failed.
 */
export async function detectSources(path: string): Promise<readonly ImportDetection[]> {
  if (!existsSync(path)) {
    throw new SlipwayError('importUnreadable', { path, detail: 'there is no such file or folder' });
  }
  const found: ImportDetection[] = [];
  let failure: unknown = null;
  for (const reader of readers) {
    try {
      const detection = await reader.detects(path);
      if (detection !== null) found.push(detection);
    } catch (error) {
      failure ??= error;
    }
  }
  if (found.length === 0 && failure !== null) {
    const detail = failure instanceof Error ? failure.message : String(failure);
    throw failure instanceof SlipwayError ? failure : new SlipwayError('importUnreadable', { path, detail });
  }
  return found;
}
