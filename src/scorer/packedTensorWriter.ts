import { missingText, type Tensor } from '../inference/datatypes.ts';
import {
  copyNumbers,
  type NumberData,
  type NumberDatatype,
  numberArrays,
  numbersIn,
} from '../protocol/numberData.ts';
import { missingLength, type PackedKind, packedAlignment, packedKinds } from '../protocol/packedTensors.ts';
import type { HiddenPart } from './valueLayouts.ts';

/** Lays tensors one after the other into memory that grows, as `src/protocol/packedTensors.ts` describes them. */
export interface PackedTensorWriter {
  /** Bytes that are written. */
  readonly length: number;
  /** @param hidden what of it is not kept: its bytes never get here. */
  add(tensor: Tensor, hidden: HiddenPart): void;
  /** Forgets what was written from there on. */
  truncate(length: number): void;
  /** The memory; the writer goes on with another. */
  take(next: ArrayBuffer | null): ArrayBuffer;
}

const firstBytes = 64 * 1024;
const codes = new Map<PackedKind, number>(packedKinds.map((kind, code) => [kind, code]));
const headBytes = 8;
const wordBytes = 4;

export function createPackedTensorWriter(): PackedTensorWriter {
  let bytes = Buffer.alloc(0);
  let words = new Uint32Array(0);
  /** The memory as numbers, by what they are. */
  let numbers = new Map<NumberDatatype, NumberData>();
  let used = 0;

  const use = (memory: ArrayBuffer) => {
    bytes = Buffer.from(memory);
    words = new Uint32Array(memory, 0, Math.floor(memory.byteLength / wordBytes));
    numbers = new Map();
  };
  /** Where so many further bytes have room. */
  const room = (length: number): number => {
    const place = used;
    used += length;
    if (used > bytes.length) {
      const larger = new ArrayBuffer(aligned(Math.max(used, 2 * bytes.length)));
      new Uint8Array(larger).set(bytes.subarray(0, place));
      use(larger);
    }
    return place;
  };
  const align = () => {
    const gap = aligned(used) - used;
    // Memory that is used again holds what was there before.
    if (gap > 0) bytes.fill(0, room(gap), used);
  };
  const addHead = (kind: PackedKind, shape: readonly number[]) => {
    const at = room(headBytes + wordBytes * shape.length) / wordBytes;
    words[at] = codes.get(kind) ?? 0;
    words[at + 1] = shape.length;
    for (let axis = 0; axis < shape.length; axis++) words[at + 2 + axis] = shape[axis] ?? 0;
    align();
  };
  /** Asking small numbers for their memory would give them one of their own, which costs more than they do. */
  const addNumbers = (datatype: NumberDatatype, data: NumberData): number => {
    const at = room(data.byteLength);
    const size = numberArrays[datatype].BYTES_PER_ELEMENT;
    let all = numbers.get(datatype);
    if (!all) {
      all = numbersIn(datatype, bytes.buffer, 0, Math.floor(bytes.length / size));
      numbers.set(datatype, all);
    }
    copyNumbers(data, all, at / size);
    return at;
  };
  const addTexts = (texts: readonly string[], hides: (index: number) => boolean) => {
    for (let index = 0; index < texts.length; index++) {
      const text = hides(index) ? '' : (texts[index] ?? '');
      const isMissing = text === missingText;
      const length = isMissing ? 0 : Buffer.byteLength(text);
      const at = room(wordBytes + length);
      bytes.writeUInt32LE(isMissing ? missingLength : length, at);
      if (length > 0) bytes.write(text, at + wordBytes, length, 'utf8');
    }
  };
  use(new ArrayBuffer(firstBytes));
  return {
    get length() {
      return used;
    },
    add({ datatype, shape, data, absent }, hidden) {
      if (absent || hidden === 'whole') {
        addHead(absent ? 'ABSENT' : 'HIDDEN', shape);
        return;
      }
      addHead(datatype, shape);
      const width = shape[1] ?? 1;
      if (Array.isArray(data)) {
        addTexts(data, (index) => hidden?.has(index % width) === true);
      } else if (datatype !== 'BYTES') {
        const at = addNumbers(datatype, data);
        const size = data.BYTES_PER_ELEMENT;
        for (const offset of hidden ?? []) {
          for (let index = offset; index < data.length; index += width) {
            bytes.fill(0, at + index * size, at + (index + 1) * size);
          }
        }
      }
      align();
    },
    truncate(length) {
      used = length;
    },
    take(next) {
      const taken = bytes.buffer;
      use(next ?? new ArrayBuffer(firstBytes));
      used = 0;
      return taken;
    },
  };
}

function aligned(place: number): number {
  return Math.ceil(place / packedAlignment) * packedAlignment;
}
