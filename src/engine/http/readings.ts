/** Readings that several route files share: what MLflow's messages have in common. */
import type { KeyValue } from '../../protocol/tracking.ts';
import { invalid } from '../tracking/limits.ts';
import type { ViewType } from '../tracking/types.ts';
import { type Message, missingParameter, wrongType } from './message.ts';

export const viewTypes: Readonly<Record<ViewType, number>> = { ACTIVE_ONLY: 1, DELETED_ONLY: 2, ALL: 3 };

/** The run that a message names, under its old name `run_uuid` too. */
export function readRunId(message: Message): string {
  const runId = message.text('run_id') || message.text('run_uuid');
  if (runId) return runId;
  throw missingParameter('run_id');
}

/** A list of `{key, value}`; a missing value is the empty text. */
export function readKeyValues(message: Message, name: string): readonly KeyValue[] {
  return message.messages(name).map(readKeyValue);
}

export function readKeyValue(message: Message): KeyValue {
  return { key: message.requiredText('key'), value: message.text('value') ?? '' };
}

/** How many items a page may have. `fallback` is taken when the message does not say; null makes it required. */
export function readMaxResults(message: Message, fallback: number | null, limit: number): number {
  const asked = message.integer('max_results') ?? fallback ?? 0;
  if (asked < 1) {
    throw invalid(
      `Invalid value ${asked} for parameter 'max_results' supplied. It must be a positive integer`,
    );
  }
  if (asked > limit) throw wrongType('max_results', message.value('max_results'));
  return asked;
}
