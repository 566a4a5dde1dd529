import { open, realpath } from 'node:fs/promises';
import { join, sep } from 'node:path';
import type { UncommittedChanges } from '../../protocol/provenance.ts';

/** What holds code or the settings of a training; data does not belong into a record of changes. */
const codeFile = /\.(py|ipynb|r|rmd|jl|sh|sql|scala|java|cpp|cu|c|h|toml|ya?ml|cfg|ini|gin)$/i;
/** Names behind which secrets lie. */
const secretFile = /secret|credential|password|token|(^|\/)\.|private/i;
const largestFile = 200 * 1024;

/**
 * Files that git does not know yet, in the format of `git diff`. Only code and settings, no hidden and no large files,
 * and none that a symbolic link brings in from elsewhere.
 *
 * @param paths relative to the root, with forward slashes
 * @param limit how many characters there may be
 */
export async function newFileChanges(
  root: string,
  paths: readonly string[],
  limit: number,
): Promise<UncommittedChanges> {
  const wanted = paths.filter((path) => codeFile.test(path) && !secretFile.test(path));
  const realRoot = await realpath(root);
  let text = '';
  for (const path of wanted) {
    const content = await readText(join(realRoot, path));
    if (content === null) continue;
    const change = asAddition(path, content);
    if (text.length + change.length > limit) return { text, complete: false };
    text += change;
  }
  return { text, complete: true };
}

/** Null when it is no small text file at this very place, or cannot be read. */
async function readText(file: string): Promise<string | null> {
  try {
    if ((await realpath(file)) !== file.replaceAll('/', sep)) return null;
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      if (size > largestFile) return null;
      const bytes = await handle.readFile();
      return bytes.includes(0) ? null : bytes.toString('utf8');
    } finally {
      await handle.close();
    }
  } catch {
    // It may have gone since git listed it.
    return null;
  }
}

function asAddition(path: string, content: string): string {
  const header = `diff --git a/${path} b/${path}\nnew file mode 100644\n`;
  if (content === '') return header;
  const endsWell = content.endsWith('\n');
  const lines = (endsWell ? content.slice(0, -1) : content).split('\n');
  const count = lines.length === 1 ? '1' : `1,${lines.length}`;
  const added = lines.map((line) => `+${line}\n`).join('');
  const end = endsWell ? '' : '\\ No newline at end of file\n';
  return `${header}--- /dev/null\n+++ b/${path}\n@@ -0,0 +${count} @@\n${added}${end}`;
}
