import type { RunStatus } from '../../../protocol/tracking.ts';
import type { TensorboardEvent } from './event.ts';
import { readSession } from './hyperparameters.ts';
import { milliseconds } from './runFolders.ts';

/** What a run's events say about the run as a whole. */
export interface RunFacts {
  readonly parameters: Map<string, string>;
  /** The first text of each tag that is a text, when it is short, and more. */
  readonly tags: Map<string, string>;
  /** Null: not said. */
  status: RunStatus | null;
  /** UTC milliseconds; null when not said. */
  endTime: number | null;
  /** Of the last event, in UTC milliseconds. */
  lastTime: number;
}

/** A text that is longer is an artifact only. */
const longestTag = 8000;
const decoder = new TextDecoder();

export function createRunFacts(startTime: number): RunFacts {
  return { parameters: new Map(), tags: new Map(), status: null, endTime: null, lastTime: startTime };
}

/** Takes in an event. @throws Error when something in it is malformed. */
export function takeFacts(event: TensorboardEvent, facts: RunFacts): void {
  facts.lastTime = Math.max(facts.lastTime, milliseconds(event.wallTime));
  for (const { plugin, pluginContent, data, tag } of event.values) {
    if (plugin === 'hparams' && pluginContent !== null) takeSession(pluginContent, facts);
    else if (plugin === 'text' && data.kind === 'tensor') {
      const text = textOf(data.tensor.strings);
      if (text.length <= longestTag && !facts.tags.has(textName(tag))) facts.tags.set(textName(tag), text);
    }
  }
}

function takeSession(pluginContent: Uint8Array, facts: RunFacts): void {
  const session = readSession(pluginContent);
  for (const { key, value } of session.parameters) facts.parameters.set(key, value);
  if (session.group !== '') facts.tags.set('tensorboard.hparams.group', session.group);
  if (session.endTime !== null) facts.endTime = milliseconds(session.endTime);
  facts.status = session.status ?? facts.status;
}

/** The name of a text: tensorboardX and PyTorch put something behind it. */
export function textName(tag: string): string {
  return tag.replace(/\/text_summary$/, '');
}

/** The text that a tensor of strings is. */
export function textOf(strings: readonly Uint8Array[]): string {
  return strings.map((bytes) => decoder.decode(bytes)).join('\n\n');
}
