import { execFileSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A repository of its own in a temporary folder. */
export interface GitRepository {
  readonly folder: string;
  /** Runs git in it and gives what it says. */
  git(...args: readonly string[]): string;
  write(path: string, content: string): void;
  remove(): void;
}

/** Makes one on the branch `main`, without a commit. */
export function createGitRepository(): GitRepository {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-repository-')));
  const identity = ['-c', 'user.name=Ana', '-c', 'user.email=ana@example.com', '-c', 'commit.gpgSign=false'];
  const git = (...args: readonly string[]) =>
    execFileSync('git', [...identity, ...args], { cwd: folder, encoding: 'utf8', stdio: 'pipe' }).trim();
  git('init', '--quiet', '--initial-branch=main');
  return {
    folder,
    git,
    write: (path, content) => writeFileSync(join(folder, path), content),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
