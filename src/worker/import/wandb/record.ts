import { parsePythonJson } from '../tracker/nestedValues.ts';
import { doubleOf, readTextField, textOf, visitFields, type WireField } from '../tracker/protobuf.ts';
import { type Git, readGit } from './environment.ts';

/** Numbers of what a `Record` can hold (Weights & Biases, `wandb_internal.proto`). */
export const recordFields = {
  history: 2,
  summary: 3,
  output: 4,
  config: 5,
  files: 6,
  stats: 7,
  artifact: 8,
  tensorboard: 9,
  alert: 10,
  telemetry: 11,
  metric: 12,
  outputRaw: 13,
  control: 16,
  run: 17,
  exit: 18,
  uuid: 19,
  final: 20,
  header: 21,
  footer: 22,
  preempting: 23,
  linkArtifact: 24,
  useArtifact: 25,
  environment: 26,
  outputLogger: 27,
  request: 100,
} as const;

/** Fields of a `Record` that are about the record itself. */
const envelopeFields: ReadonlySet<number> = new Set([1, recordFields.control, recordFields.uuid, 200]);

/** What a record holds: the number of its field, and that field's message, which lies in the record. */
export interface RecordContent {
  readonly field: number;
  readonly message: Uint8Array;
}

/** Null for a record that only controls the exchange of records. @throws Error when the bytes are no record. */
export function readRecord(bytes: Uint8Array): RecordContent | null {
  let content: RecordContent | null = null;
  visitFields(bytes, (field) => {
    if (!envelopeFields.has(field.number)) content = { field: field.number, message: field.content };
  });
  return content;
}

/** A value and where it belongs: keys from the outside in. */
export interface Item {
  readonly path: readonly string[];
  readonly value: unknown;
}

/** Values that were set, and places that were removed. */
export interface Changes {
  readonly update: readonly Item[];
  readonly remove: readonly Item[];
}

/** A `ConfigRecord` or `SummaryRecord`. */
export function readChanges(message: Uint8Array): Changes {
  const update: Item[] = [];
  const remove: Item[] = [];
  visitFields(message, (field) => {
    if (field.number === 1) update.push(readItem(field.content));
    else if (field.number === 2) remove.push(readItem(field.content));
  });
  return { update, remove };
}

/** A `HistoryRecord`. */
export function readHistory(message: Uint8Array): {
  readonly items: readonly Item[];
  readonly step: number | null;
} {
  const items: Item[] = [];
  let step: number | null = null;
  visitFields(message, (field) => {
    if (field.number === 1) items.push(readItem(field.content));
    else if (field.number === 2) {
      step = 0;
      visitFields(field.content, (part) => {
        if (part.number === 1) step = part.integer;
      });
    }
  });
  return { items, step };
}

/** When a history record was logged, in UTC milliseconds. */
export function timeOf(items: readonly Item[], startTime: number): number {
  const seconds = ownNumber(items, '_timestamp');
  return seconds === null ? startTime + (ownNumber(items, '_runtime') ?? 0) * 1000 : seconds * 1000;
}

/** A number that Weights & Biases itself put into a history record; null when it did not. */
export function ownNumber(items: readonly Item[], name: string): number | null {
  const value = items.find(({ path }) => path.length === 1 && path[0] === name)?.value;
  return typeof value === 'number' ? value : null;
}

/** A `StatsRecord`: the machine at a time in UTC milliseconds. */
export function readStats(message: Uint8Array): { readonly time: number; readonly items: readonly Item[] } {
  const items: Item[] = [];
  let time = 0;
  visitFields(message, (field) => {
    if (field.number === 2) time = readTimestamp(field.content);
    else if (field.number === 3) items.push(readItem(field.content));
  });
  return { time, items };
}

/** A `RunRecord`. Times are UTC milliseconds. */
export interface RunContent {
  readonly runId: string;
  readonly entity: string;
  readonly project: string;
  readonly config: Changes;
  readonly summary: Changes;
  readonly group: string;
  readonly jobType: string;
  readonly displayName: string;
  readonly notes: string;
  readonly tags: readonly string[];
  readonly sweepId: string;
  readonly host: string;
  readonly startTime: number | null;
  readonly git: Git;
}

export function readRun(message: Uint8Array): RunContent {
  const texts = new Map<number, string>();
  const tags: string[] = [];
  const none: Changes = { update: [], remove: [] };
  let config = none;
  let summary = none;
  let startTime: number | null = null;
  let git: Git = { remote: '', commit: '' };
  visitFields(message, (field) => {
    if (field.number === 4) config = readChanges(field.content);
    else if (field.number === 5) summary = readChanges(field.content);
    else if (field.number === 10) tags.push(textOf(field));
    else if (field.number === 17) startTime = readTimestamp(field.content);
    else if (field.number === 21) git = readGit(field.content);
    else if (!field.isVarint && field.number <= 13) texts.set(field.number, textOf(field));
  });
  const text = (number: number) => texts.get(number) ?? '';
  return {
    runId: text(1),
    entity: text(2),
    project: text(3),
    config,
    summary,
    group: text(6),
    jobType: text(7),
    displayName: text(8),
    notes: text(9),
    tags,
    sweepId: text(12),
    host: text(13),
    startTime,
    git,
  };
}

/** A `RunExitRecord`. */
export interface Exit {
  readonly code: number;
  /** Seconds. */
  readonly runtime: number;
}

export function readExit(message: Uint8Array): Exit {
  let code = 0;
  let runtime = 0;
  visitFields(message, (field) => {
    if (field.number === 1) code = field.integer;
    else if (field.number === 2) runtime = field.integer;
  });
  return { code, runtime };
}

/** A line, or a part of one, that the training script printed. */
export function readOutput(message: Uint8Array): string {
  let line = '';
  visitFields(message, (field) => {
    if (field.number === 3) line = textOf(field);
  });
  return line;
}

/** An `ArtifactRecord` with the files that its manifest names. */
export interface LoggedArtifact {
  readonly name: string;
  readonly kind: string;
  readonly files: readonly ManifestEntry[];
}

export interface ManifestEntry {
  /** Its path in the artifact. */
  readonly path: string;
  /** Where it lies elsewhere; empty when it was added as a file. */
  readonly reference: string;
  /** Where it lay on the machine that trained; empty when not known. */
  readonly localPath: string;
}

export function readArtifact(message: Uint8Array): LoggedArtifact {
  let name = '';
  let kind = '';
  const files: ManifestEntry[] = [];
  visitFields(message, (field) => {
    if (field.number === 4) kind = textOf(field);
    else if (field.number === 5) name = textOf(field);
    else if (field.number === 12) {
      visitFields(field.content, (part) => {
        if (part.number === 4) files.push(readManifestEntry(part.content));
      });
    }
  });
  return { name, kind, files };
}

function readManifestEntry(message: Uint8Array): ManifestEntry {
  return {
    path: readTextField(message, 1),
    reference: readTextField(message, 3),
    localPath: readTextField(message, 6),
  };
}

/** A `google.protobuf.Timestamp` in UTC milliseconds. */
function readTimestamp(message: Uint8Array): number {
  let milliseconds = 0;
  visitFields(message, (field) => {
    if (field.number === 1) milliseconds += field.integer * 1000;
    else if (field.number === 2) milliseconds += field.integer / 1e6;
  });
  return Math.floor(milliseconds);
}

/** A `HistoryItem`, `SummaryItem`, `ConfigItem` or `StatsItem`: a key, or keys from the outside in, and a value. */
function readItem(message: Uint8Array): Item {
  let key = '';
  const nested: string[] = [];
  let value: unknown = null;
  visitFields(message, (field) => {
    if (field.number === 1) key = textOf(field);
    else if (field.number === 2) nested.push(textOf(field));
    else if (field.number === 16) value = parsePythonJson(textOf(field));
    else value = typedValue(field);
  });
  return { path: nested.length > 0 ? nested : [key], value };
}

/** A value that is not written as JSON. */
function typedValue(field: WireField): unknown {
  switch (field.number) {
    case 4:
      return field.integer !== 0;
    case 5:
      // A `sint64`, in zigzag order: 0, -1, 1, -2, …
      return field.integer % 2 === 0 ? field.integer / 2 : -(field.integer + 1) / 2;
    case 6:
      return doubleOf(field);
    case 7:
      return textOf(field);
    case 8:
      return parsePythonJson(textOf(field));
    default:
      return null;
  }
}
