import { askGit } from '../../../git/askGit.ts';

const patience = 60_000;

/** Asks git about the repository of a project, whose root has it. Null when git cannot say, or not all within the limit. */
export async function askProject(
  args: readonly string[],
  options: { readonly project: string; readonly limit: number; readonly input?: string },
): Promise<Buffer | null> {
  const { project, ...rest } = options;
  const output = await askGit(args, { ...rest, folder: project, patience, isRoot: true });
  return output?.complete ? output.bytes : null;
}
