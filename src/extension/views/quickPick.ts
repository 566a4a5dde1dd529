import { type QuickPickItem, window } from 'vscode';

/** A choice and what it stands for. */
export interface Choice<Value> extends QuickPickItem {
  readonly value: Value;
}

export interface Question<Value> {
  readonly title: string;
  readonly placeholder: string;
  /** The most likely one first. */
  readonly choices: readonly Choice<Value>[];
  /** Said when there is nothing to choose from. */
  readonly none: string;
}

/** Asks to choose one. Undefined when the person gave up, or when there is nothing to choose from. */
export async function choose<Value>(question: Question<Value>): Promise<Value | undefined> {
  if (question.choices.length === 0) {
    void window.showInformationMessage(question.none);
    return undefined;
  }
  const chosen = await window.showQuickPick([...question.choices], {
    title: question.title,
    placeHolder: question.placeholder,
    matchOnDescription: true,
    matchOnDetail: true,
  });
  return chosen?.value;
}
