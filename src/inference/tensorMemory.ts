import { type NumberData, type NumberDatatype, numberArrays, numbersIn } from '../protocol/numberData.ts';

/** A tensor of at most so many bytes lies in a memory with others. */
const smallBytes = 512;
const memoryBytes = 32 * 1024;
/** Where a tensor begins, so that it is aligned for every datatype. */
const alignment = 16;

let memory = new ArrayBuffer(0);
let taken = 0;

/**
 * Room for `length` numbers, all of them 0. Small ones share memories, as to ask for one costs more than it takes to
 * fill it; so what lies around them belongs to others, and a memory lives for as long as the last that lies in it.
 */
export function roomFor(datatype: NumberDatatype, length: number): NumberData {
  const bytes = length * numberArrays[datatype].BYTES_PER_ELEMENT;
  if (bytes > smallBytes) return new numberArrays[datatype](length);
  if (taken + bytes > memory.byteLength) {
    memory = new ArrayBuffer(memoryBytes);
    taken = 0;
  }
  const begin = taken;
  taken = Math.ceil((begin + bytes) / alignment) * alignment;
  return numbersIn(datatype, memory, begin, length);
}
