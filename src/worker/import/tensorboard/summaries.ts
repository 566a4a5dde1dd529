import type { ImportedArtifactContent, ImportRecord } from '../../../protocol/importing.ts';
import { artifactPath, type Keys } from '../tracker/keys.ts';
import type { OmissionCount } from '../tracker/omission.ts';
import type { RunPoints } from '../tracker/runPoints.ts';
import type { SummaryValue, TensorboardEvent } from './event.ts';
import { imageExtension } from './imageExtension.ts';
import { textName, textOf } from './runFacts.ts';
import { milliseconds } from './runFolders.ts';

/** Where the values of a run's summaries go. */
export interface SummarySinks {
  readonly runId: string;
  readonly points: RunPoints;
  readonly metricKeys: Keys;
  readonly untaken: OmissionCount;
  /** The plugin of each tag: only the first value of a tag must name it. */
  readonly plugins: Map<string, string>;
}

/** Takes in one event, and yields what it has for the store at once. @throws Error when something in it is malformed. */
export function* takeEvent(event: TensorboardEvent, sinks: SummarySinks): Iterable<ImportRecord> {
  const time = milliseconds(event.wallTime);
  if (event.other !== null) sinks.untaken.add(event.other);
  for (const value of event.values) {
    if (value.plugin !== '' && !sinks.plugins.has(value.tag)) sinks.plugins.set(value.tag, value.plugin);
    yield* takeValue(value, event.step, time, sinks);
  }
}

function* takeValue(
  value: SummaryValue,
  step: number,
  time: number,
  sinks: SummarySinks,
): Iterable<ImportRecord> {
  const { data, tag } = value;
  const plugin = sinks.plugins.get(tag) ?? '';
  // That is about the run as a whole.
  if (plugin === 'hparams') return;
  if (data.kind === 'scalar') {
    yield* sinks.points.add(sinks.metricKeys.of(tag), step, time, data.value);
  } else if (data.kind === 'image' || data.kind === 'audio') {
    const extension = data.kind === 'image' ? imageExtension(data.content) : 'wav';
    yield content(
      sinks,
      `${data.kind === 'image' ? 'images' : 'audio'}/${artifactPath(tag)}/step-${step}.${extension}`,
      data.content,
    );
  } else if (data.kind === 'tensor') {
    yield* takeTensor(tag, plugin, data.tensor, step, time, sinks);
  } else {
    sinks.untaken.add(
      data.kind === 'histogram' ? 'histograms' : `values of the plugin ${plugin || 'of no name'}`,
    );
  }
}

type TensorData = Extract<SummaryValue['data'], { kind: 'tensor' }>['tensor'];

function* takeTensor(
  tag: string,
  plugin: string,
  tensor: TensorData,
  step: number,
  time: number,
  sinks: SummarySinks,
): Iterable<ImportRecord> {
  const isSingle = tensor.shape.every((length) => length === 1);
  if ((plugin === 'scalars' || plugin === '') && isSingle && !tensor.isText && tensor.firstNumber !== null) {
    yield* sinks.points.add(sinks.metricKeys.of(tag), step, time, tensor.firstNumber);
  } else if (plugin === 'text' && tensor.strings.length > 0) {
    yield* takeText(tag, tensor.strings, step, sinks);
  } else if (plugin === 'images' && tensor.strings.length > 2) {
    // Width and height as text, then the images.
    yield* takeFiles('images', tag, tensor.strings.slice(2), step, sinks);
  } else if (plugin === 'audio' && tensor.strings.length > 0) {
    // Each sound may be followed by its label.
    const stride = tensor.shape.at(-1) === 2 && tensor.shape.length === 2 ? 2 : 1;
    yield* takeFiles(
      'audio',
      tag,
      tensor.strings.filter((_, index) => index % stride === 0),
      step,
      sinks,
    );
  } else {
    sinks.untaken.add(
      plugin === 'histograms' ? 'histograms' : `tensors of the plugin ${plugin || 'of no name'}`,
    );
  }
}

function* takeText(
  tag: string,
  strings: readonly Uint8Array[],
  step: number,
  sinks: SummarySinks,
): Iterable<ImportRecord> {
  const text = new TextEncoder().encode(textOf(strings));
  yield content(sinks, `text/${artifactPath(textName(tag))}/step-${step}.md`, text);
}

function* takeFiles(
  folder: 'images' | 'audio',
  tag: string,
  files: readonly Uint8Array[],
  step: number,
  sinks: SummarySinks,
): Iterable<ImportRecord> {
  for (const [index, bytes] of files.entries()) {
    const number = files.length === 1 ? '' : `-${index + 1}`;
    const extension = folder === 'images' ? imageExtension(bytes) : 'wav';
    yield content(
      sinks,
      `${folder}/${artifactPath(tag)}/step-${step}${number}.${extension}`,
      Uint8Array.from(bytes),
    );
  }
}

function content({ runId }: SummarySinks, path: string, bytes: Uint8Array): ImportedArtifactContent {
  return { type: 'artifactContent', owner: { type: 'run', id: runId }, path, content: bytes };
}
