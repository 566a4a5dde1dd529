import { type Disposable, commands as editorCommands } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';
import { type CommandArgument, type CommandId, commands } from '../contributions.ts';
import type { ErrorReporter } from './errors.ts';
import { requireTrust } from './trust.ts';

export type CommandHandler<Id extends CommandId> = (argument: CommandArgument<Id>) => Promise<void>;

export type RegisterCommand = <Id extends CommandId>(id: Id, handler: CommandHandler<Id>) => Disposable;

/**
 * Registers commands of the table: the argument is checked, trust is asked for where the table says so, and a
 * failure is told to the person.
 */
export function createCommandRegistration(errors: ErrorReporter): RegisterCommand {
  return (id, handler) =>
    editorCommands.registerCommand(id, async (argument: unknown) => {
      try {
        if (commands[id].needsTrust) requireTrust();
        await handler(parse(id, argument));
      } catch (error) {
        errors.report(error);
      }
    });
}

/** Runs a command of the table. */
export async function runCommand<Id extends CommandId>(id: Id, argument: CommandArgument<Id>): Promise<void> {
  await editorCommands.executeCommand(id, argument);
}

function parse<Id extends CommandId>(id: Id, argument: unknown): CommandArgument<Id> {
  const parsed = commands[id].argument.safeParse(argument ?? undefined);
  if (parsed.success) return parsed.data as CommandArgument<Id>;
  const detail = `${id}: ${parsed.error.issues[0]?.message ?? ''}`;
  throw new SlipwayError('invalidParameter', { detail }, { cause: parsed.error });
}
