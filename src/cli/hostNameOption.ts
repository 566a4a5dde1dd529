import { hostName } from '../protocol/hostName.ts';
import { UsageError } from './usageError.ts';

/** The host names of an option that may be repeated, in lower case. @throws UsageError for what is none. */
export function readHostNames(texts: readonly string[] = []): string[] {
  return texts.map((text) => {
    const { data, error } = hostName.safeParse(text);
    if (data === undefined) throw new UsageError(`--host-name: ${error.issues[0]?.message}, not ${text}`);
    return data;
  });
}
