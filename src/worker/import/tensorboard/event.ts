import { doubleOf, floatOf, textOf, visitFields } from '../tracker/protobuf.ts';
import { readTensor, type Tensor } from './tensor.ts';

/** One record of an event file (TensorBoard, `event.proto` and `summary.proto`). Its bytes lie in the record. */
export interface TensorboardEvent {
  /** UTC seconds, with fractions. */
  readonly wallTime: number;
  readonly step: number;
  readonly values: readonly SummaryValue[];
  /** What else it holds, in the plural, such as `graphs`; null when it holds nothing that a run could keep. */
  readonly other: string | null;
}

/** One value of a summary. */
export interface SummaryValue {
  readonly tag: string;
  /** The plugin that its metadata names, such as `scalars`; empty when none does, as in later values of a tag. */
  readonly plugin: string;
  /** What the metadata holds for the plugin. */
  readonly pluginContent: Uint8Array | null;
  readonly data: SummaryData;
}

export type SummaryData =
  | { readonly kind: 'scalar'; readonly value: number }
  | { readonly kind: 'tensor'; readonly tensor: Tensor }
  /** An encoded image or sound, as old summaries hold them. */
  | { readonly kind: 'image' | 'audio'; readonly content: Uint8Array }
  | { readonly kind: 'histogram' | 'none' };

/** What an event holds beside a summary, by the number of its field. */
const otherContents: Readonly<Record<number, string>> = {
  4: 'graphs',
  6: 'log messages',
  8: 'profiles of a step',
  9: 'graphs',
};

/** @throws Error when the bytes are no event. */
export function readEvent(record: Uint8Array): TensorboardEvent {
  let wallTime = 0;
  let step = 0;
  let other: string | null = null;
  const values: SummaryValue[] = [];
  visitFields(record, (field) => {
    if (field.number === 1) wallTime = doubleOf(field);
    else if (field.number === 2) step = field.integer;
    else if (field.number === 5) {
      visitFields(field.content, (part) => {
        if (part.number === 1) values.push(readValue(part.content));
      });
    } else other ??= otherContents[field.number] ?? null;
  });
  return { wallTime, step, values, other };
}

function readValue(message: Uint8Array): SummaryValue {
  let tag = '';
  let data: SummaryData = { kind: 'none' };
  let metadata = { plugin: '', content: noContent };
  visitFields(message, (field) => {
    switch (field.number) {
      case 1:
        tag = textOf(field);
        break;
      case 2:
        data = { kind: 'scalar', value: floatOf(field) };
        break;
      case 3:
      case 5:
        data = { kind: 'histogram' };
        break;
      case 4:
        data = { kind: 'image', content: encodedContent(field.content) };
        break;
      case 6:
        data = { kind: 'audio', content: encodedContent(field.content) };
        break;
      case 8:
        data = { kind: 'tensor', tensor: readTensor(field.content) };
        break;
      case 9:
        metadata = readMetadata(field.content);
        break;
    }
  });
  return { tag, plugin: metadata.plugin, pluginContent: metadata.content, data };
}

const noContent: Uint8Array | null = null;

/** `Image.encoded_image_string` and `Audio.encoded_audio_string` have the same number. */
function encodedContent(message: Uint8Array): Uint8Array {
  let content = new Uint8Array(0);
  visitFields(message, (field) => {
    if (field.number === 4 && !field.isVarint) content = Uint8Array.from(field.content);
  });
  return content;
}

function readMetadata(message: Uint8Array): { plugin: string; content: Uint8Array | null } {
  let plugin = '';
  let content = noContent;
  visitFields(message, (field) => {
    if (field.number !== 1) return;
    visitFields(field.content, (part) => {
      if (part.number === 1) plugin = textOf(part);
      else if (part.number === 2) content = part.content;
    });
  });
  return { plugin, content };
}
