import { commands } from 'vscode';
import { type ContextKey, contextKeys } from '../contributions.ts';

export interface ContextKeys {
  set(key: ContextKey, value: boolean): void;
}

/** Sets context keys of the table, each only when it changes. */
export function createContextKeys(): ContextKeys {
  const values = new Map<ContextKey, boolean>(
    (Object.keys(contextKeys) as ContextKey[]).map((key) => [key, contextKeys[key]]),
  );
  return {
    set(key, value) {
      if (values.get(key) === value) return;
      values.set(key, value);
      void commands.executeCommand('setContext', key, value);
    },
  };
}
