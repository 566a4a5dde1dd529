import type { KeyValue, RunStatus } from '../../../protocol/tracking.ts';
import { parameterText } from '../tracker/nestedValues.ts';
import { doubleOf, textOf, visitFields } from '../tracker/protobuf.ts';

/** What TensorBoard's hyperparameter plugin wrote about a session (`plugin_data.proto` of the plugin). */
export interface Session {
  readonly parameters: readonly KeyValue[];
  /** Sessions of one group are repetitions of one trial; empty when none is named. */
  readonly group: string;
  /** UTC seconds; null when not said. */
  readonly endTime: number | null;
  /** How it ended. Null: not said, or it was running when it said something. */
  readonly status: RunStatus | null;
}

const statuses: Readonly<Record<number, RunStatus>> = { 1: 'FINISHED', 2: 'FAILED' };

/** @throws Error when the bytes are not the plugin's. */
export function readSession(pluginContent: Uint8Array): Session {
  const parameters: KeyValue[] = [];
  let group = '';
  let endTime: number | null = null;
  let status: RunStatus | null = null;
  visitFields(pluginContent, (field) => {
    if (field.number === 3) {
      visitFields(field.content, (part) => {
        if (part.number === 1) parameters.push(readParameter(part.content));
        else if (part.number === 4) group = textOf(part);
      });
    } else if (field.number === 4) {
      visitFields(field.content, (part) => {
        if (part.number === 1) status = statuses[part.integer] ?? null;
        else if (part.number === 2) endTime = doubleOf(part);
      });
    }
  });
  return { parameters, group, endTime, status };
}

function readParameter(entry: Uint8Array): KeyValue {
  let key = '';
  let value: unknown = null;
  visitFields(entry, (field) => {
    if (field.number === 1) key = textOf(field);
    else if (field.number === 2) value = readJsonValue(field.content);
  });
  return { key, value: parameterText(value) };
}

/** A `google.protobuf.Value`; what is nested in it is not taken apart by the plugin either. */
function readJsonValue(message: Uint8Array): unknown {
  let value: unknown = null;
  visitFields(message, (field) => {
    if (field.number === 2) value = doubleOf(field);
    else if (field.number === 3) value = textOf(field);
    else if (field.number === 4) value = field.integer !== 0;
    else if (field.number === 6) value = readList(field.content);
  });
  return value;
}

function readList(message: Uint8Array): readonly unknown[] {
  const items: unknown[] = [];
  visitFields(message, (field) => {
    if (field.number === 1) items.push(readJsonValue(field.content));
  });
  return items;
}
