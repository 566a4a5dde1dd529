import { randomBytes } from 'node:crypto';
import { commands, type LogOutputChannel, l10n, window } from 'vscode';
import { type DetailValue, type Translate, worded, wordedAll } from '../../protocol/errorDetails.ts';
import { errorCatalogue, type SlipwayError, toSlipwayError } from '../../protocol/errors.ts';
import { type ImportOmission, omissionReasons } from '../../protocol/importing.ts';
import type { LocalizedError } from '../../protocol/page.ts';
import type { CommandId, SettingId } from '../contributions.ts';

/** An error's texts in the person's language. */
export function localizeError(thrown: unknown): LocalizedError {
  const error = toSlipwayError(thrown);
  const { message, remedy } = errorCatalogue[error.kind];
  const values = wordedAll(error.values, translate);
  return {
    kind: error.kind,
    message: l10n.t(message, values),
    remedy: remedy === '' ? '' : l10n.t(remedy, values),
  };
}

/** A detail of an error, in the person's language. */
export function localizeDetail(detail: DetailValue): string {
  return String(worded(detail, translate));
}

const translate: Translate = (text, values) => l10n.t(text, values);

/** Why something was not imported, in the person's language. */
export function localizeOmission({ reason, values }: Omit<ImportOmission, 'type'>): string {
  return l10n.t(omissionReasons[reason], values);
}

/** What happened and what to do about it, as one line. */
export function sentenceOf(thrown: unknown): string {
  const { message, remedy } = localizeError(thrown);
  if (remedy === '') return message;
  return /[.!?…]$/.test(message) ? `${message} ${remedy}` : `${message}. ${remedy}`;
}

/** Where errors that nobody can handle end up: in a notification, and with their details in the output channel. */
export interface ErrorReporter {
  /** Tells the person. What they cancelled themselves is not an error. */
  report(thrown: unknown): void;
  /** Only the output channel: for a failure that the place where it happened shows already. */
  record(thrown: unknown): void;
}

export function createErrorReporter(log: LogOutputChannel): ErrorReporter {
  const write = (error: SlipwayError): string => {
    const id = randomBytes(3).toString('hex');
    log.error(`[${id}] ${error.kind}: ${error.message}`, detailsOf(error));
    return id;
  };
  return {
    record(thrown) {
      const error = toSlipwayError(thrown);
      if (error.category !== 'cancelled') write(error);
    },
    report(thrown) {
      const error = toSlipwayError(thrown);
      if (error.category === 'cancelled') return;
      const id = write(error);
      const text = error.kind === 'internal' ? `${sentenceOf(error)} (${id})` : sentenceOf(error);
      void offer(text, remedyButtonsOf(error));
    },
  };
}

interface Button {
  readonly title: string;
  readonly command: string;
  readonly arguments?: readonly unknown[];
}

async function offer(text: string, buttons: readonly Button[]): Promise<void> {
  const title = await window.showErrorMessage(text, ...buttons.map((button) => button.title));
  const chosen = buttons.find((button) => button.title === title);
  if (chosen) await commands.executeCommand(chosen.command, ...(chosen.arguments ?? []));
}

function remedyButtonsOf(error: SlipwayError): readonly Button[] {
  const showLog = { title: l10n.t('Show Log'), command: 'slipway.showLog' satisfies CommandId };
  switch (error.kind) {
    case 'engineStopped':
      return [
        { title: l10n.t('Restart Engine'), command: 'slipway.restartEngine' satisfies CommandId },
        {
          // Where VS Code's own binary cannot run the native modules, the person's Node can.
          title: l10n.t('Choose Another Node'),
          command: 'workbench.action.openSettings',
          arguments: ['slipway.nodePath' satisfies SettingId],
        },
        showLog,
      ];
    case 'pythonNotFound':
    case 'pythonPackagesMissing':
    case 'pythonModelUnreadable':
      return [
        {
          title: l10n.t('Choose Another Python'),
          command: 'workbench.action.openSettings',
          arguments: ['slipway.python' satisfies SettingId],
        },
        showLog,
      ];
    case 'storeDamaged':
      return [
        { title: l10n.t('Restore Store…'), command: 'slipway.restoreStore' satisfies CommandId },
        showLog,
      ];
    case 'workspaceUntrusted':
      return [{ title: l10n.t('Manage Workspace Trust'), command: 'workbench.trust.manage' }];
    case 'noWorkspaceFolder':
      return [{ title: l10n.t('Open Folder'), command: 'workbench.action.files.openFolder' }];
    default:
      return [showLog];
  }
}

function detailsOf(error: SlipwayError): string {
  if (typeof error.cause === 'string') return error.cause;
  if (error.cause instanceof Error) return error.cause.stack ?? error.cause.message;
  return error.stack ?? '';
}
