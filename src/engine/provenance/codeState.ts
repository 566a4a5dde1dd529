import { resolve } from 'node:path';
import { askGit, type GitOutput } from '../../git/askGit.ts';
import type { CodeState, UncommittedChanges } from '../../protocol/provenance.ts';
import { newFileChanges } from './newFiles.ts';

/** The state of a repository, with its changes when there are any. */
export interface ObservedCode {
  readonly state: CodeState;
  readonly changes: UncommittedChanges | null;
}

const patience = 10_000;
const longestStatus = 4 * 1024 * 1024;
const longestChanges = 1024 * 1024;
const mostFilesNamed = 200;

/** Looks at the repository that a folder belongs to. Null when it belongs to none, or there is no git. */
export async function observeCode(folder: string, signal: AbortSignal): Promise<ObservedCode | null> {
  const answer = async (args: readonly string[], limit: number, where = folder) => {
    const output = await askGit(args, { folder: where, signal, limit, patience });
    return output && { text: wholeLines(output), complete: output.complete };
  };

  const top = await answer(['rev-parse', '--show-toplevel'], 65_536);
  if (top === null) return null;
  const root = resolve(top.text.replace(/\r?\n$/, ''));
  const [head, remotes] = await Promise.all([
    answer(['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=all'], longestStatus, root),
    answer(['config', '--get-regexp', '^remote\\..*\\.url$'], 65_536, root),
  ]);
  // A work tree too large to be searched for new files still has a commit.
  const known =
    head ?? (await answer(['status', '--porcelain=v2', '--branch', '-z', '-uno'], longestStatus, root));
  const status = readStatus(known?.text ?? '');
  const changes = await uncommittedChanges(status, root, answer);
  return {
    state: {
      root,
      commit: status.commit,
      branch: status.branch,
      repository: readRemote(remotes?.text ?? ''),
      changedFiles: status.changed.concat(status.added).slice(0, mostFilesNamed),
      changedFileCount: status.changed.length + status.added.length,
      hasChanges: changes !== null,
    },
    changes,
  };
}

interface Answer {
  readonly text: string;
  /** False: git had more to say than the limit. */
  readonly complete: boolean;
}

function wholeLines({ bytes, complete }: GitOutput): string {
  const end = complete ? -1 : bytes.lastIndexOf('\n');
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end + 1);
}

async function uncommittedChanges(
  status: Status,
  root: string,
  answer: (args: readonly string[], limit: number, where: string) => Promise<Answer | null>,
): Promise<UncommittedChanges | null> {
  const known =
    status.changed.length > 0 && status.commit !== null
      ? await answer(['diff', ...plainDiff, 'HEAD', '--'], longestChanges, root)
      : null;
  const complete = known?.complete ?? status.changed.length === 0;
  const text = known?.text ?? '';
  const added = await newFileChanges(root, status.added, longestChanges - text.length);
  if (text === '' && added.text === '') return null;
  return { text: text + added.text, complete: complete && added.complete };
}

/** Whatever the person's settings make of a diff, and without the programs that they name. */
const plainDiff = [
  '--no-color',
  '--no-ext-diff',
  '--no-textconv',
  '--no-relative',
  '--src-prefix=a/',
  '--dst-prefix=b/',
];

interface Status {
  readonly commit: string | null;
  readonly branch: string | null;
  /** Files that git knows and that differ from the commit. */
  readonly changed: readonly string[];
  /** Files that git does not know. */
  readonly added: readonly string[];
}

/** Reads `git status --porcelain=v2 --branch -z`: https://git-scm.com/docs/git-status#_porcelain_format_version_2 */
function readStatus(text: string): Status {
  let commit: string | null = null;
  let branch: string | null = null;
  const changed: string[] = [];
  const added: string[] = [];
  const records = text.split('\0');
  for (let index = 0; index < records.length; index += 1) {
    const record = records[index] ?? '';
    const [kind, ...fields] = record.split(' ');
    if (record.startsWith('# branch.oid ')) commit = fields[1] === '(initial)' ? null : (fields[1] ?? null);
    else if (record.startsWith('# branch.head ')) {
      const name = fields.slice(1).join(' ');
      branch = name === '(detached)' ? null : name;
    } else if (kind === '1') changed.push(fields.slice(7).join(' '));
    else if (kind === 'u') changed.push(fields.slice(9).join(' '));
    else if (kind === '2') {
      changed.push(fields.slice(8).join(' '));
      // The path that it had before is a record of its own.
      index += 1;
    } else if (kind === '?') added.push(fields.join(' '));
  }
  return { commit, branch, changed, added };
}

/** The address of `origin`, or of the first remote, without what must stay secret. */
function readRemote(text: string): string | null {
  const remotes = text.split('\n').filter((line) => line !== '');
  const line = remotes.find((remote) => remote.startsWith('remote.origin.url ')) ?? remotes[0];
  const address = line?.slice(line.indexOf(' ') + 1) ?? '';
  return address === '' ? null : withoutCredentials(address);
}

function withoutCredentials(address: string): string {
  if (!URL.canParse(address) || !address.includes('://')) return address;
  const url = new URL(address);
  url.username = '';
  url.password = '';
  url.search = '';
  return url.href;
}
