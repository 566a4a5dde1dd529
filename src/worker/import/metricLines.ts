import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** A line of a metric file of MLflow's file store. */
export interface MetricLine {
  /** Beyond 2^53 as bigint. */
  readonly timestamp: number | bigint;
  readonly value: number;
  readonly step: number | bigint;
  /** Of a logged model's metric: the run that measured it. Empty: none is named. */
  readonly runId: string;
  /** Empty: none. */
  readonly datasetName: string;
  readonly datasetDigest: string;
}

const blockBytes = 256 * 1024;
/** Nobody's metric line is longer; a file without line ends must not be taken into memory whole. */
const longestLine = 4096;

/** A line with its number, from 1; null where it could not be understood. */
export type NumberedLine = { readonly number: number; readonly line: MetricLine | null };

/**
 * Reads the lines of a metric file from a byte on, block by block.
 *
 * @param ofModel whether lines name the run behind the step, as those of logged models do.
 * @param ended whether nobody writes the file any more, so that a last line without an end is complete.
 * @returns the byte after the last complete line, from which to go on.
 */
export function* readMetricLines(
  file: string,
  from: number,
  ofModel: boolean,
  ended: boolean,
): Generator<NumberedLine, { readonly offset: number; readonly complete: boolean }> {
  const descriptor = openSync(file, 'r');
  try {
    const block = Buffer.alloc(blockBytes);
    const size = fstatSync(descriptor).size;
    let offset = from > size ? 0 : from;
    let position = offset;
    let rest = '';
    let number = 0;
    let tooLong = false;
    for (;;) {
      const count = readSync(descriptor, block, 0, blockBytes, position);
      if (count === 0) break;
      position += count;
      // Of a character that the block cuts in two, latin1 keeps both halves; they are put together line by line.
      const lines = (rest + block.toString('latin1', 0, count)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        offset += line.length + 1;
        number += 1;
        const isRest = tooLong;
        tooLong = false;
        if (isRest) yield { number, line: null };
        else if (line.trim() !== '') yield { number, line: parseMetricLine(line, ofModel) };
      }
      if (rest.length > longestLine) {
        tooLong = true;
        offset += rest.length;
        rest = '';
      }
    }
    if (rest.trim() === '' && !tooLong) return { offset: position, complete: true };
    if (!ended) return { offset, complete: false };
    yield { number: number + 1, line: tooLong ? null : parseMetricLine(rest, ofModel) };
    return { offset: position, complete: true };
  } finally {
    closeSync(descriptor);
  }
}

/**
 * `timestamp value [step [dataset digest]]`, and for a logged model `timestamp value step run [dataset digest]`. The name of
 * a dataset may have spaces. Null when it is neither.
 *
 * @param line its bytes as latin1.
 */
export function parseMetricLine(line: string, ofModel: boolean): MetricLine | null {
  const fields = line.trim().split(' ');
  const [timestampText = '', valueText = '', stepText = '0', ...others] = fields;
  const timestamp = wholeNumber(timestampText);
  const value = floatingNumber(valueText);
  const step = wholeNumber(stepText);
  if (fields.length < 2 || timestamp === null || value === null || step === null) return null;
  const [runId = '', ...dataset] = ofModel ? others : ['', ...others];
  if ((ofModel && runId === '') || dataset.length === 1) return null;
  return {
    timestamp,
    value,
    step,
    runId,
    datasetName: dataset.length === 0 ? '' : utf8(dataset.slice(0, -1).join(' ')),
    datasetDigest: utf8(dataset.at(-1) ?? ''),
  };
}

function wholeNumber(text: string): number | bigint | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number;
  const exact = BigInt(text.replace(/^\+/, ''));
  return BigInt.asIntN(64, exact) === exact ? exact : null;
}

/** As Python's `float` reads what Python's `str` writes. */
function floatingNumber(text: string): number | null {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  const name = /^([+-]?)(nan|inf|infinity)$/i.exec(text);
  if (name === null) return null;
  if (name[2]?.toLowerCase() === 'nan') return Number.NaN;
  return name[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}

function utf8(latin1: string): string {
  return /^[\x20-\x7e]*$/.test(latin1) ? latin1 : Buffer.from(latin1, 'latin1').toString('utf8');
}
