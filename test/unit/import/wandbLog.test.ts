import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { memorySource } from '../../../src/worker/import/tracker/byteSource.ts';
import { hasFileHeader, readLogRecords } from '../../../src/worker/import/wandb/logBlocks.ts';

const blockBytes = 32 * 1024;
/** Lengths around those at which a record is split. */
const lengths = fc.oneof(
  fc.nat({ max: 200 }),
  fc.integer({ min: blockBytes - 40, max: blockBytes + 10 }),
  fc.integer({ min: 2 * blockBytes - 40, max: 2 * blockBytes + 10 }),
);
const records = fc
  .array(lengths, { maxLength: 6 })
  .map((all) => all.map((length, index) => new Uint8Array(length).fill(index + 1)));

describe('Reading the log of a .wandb file', () => {
  it('knows such a file by its first bytes', () => {
    assert.ok(hasFileHeader(memorySource(fileOf([]))));
    assert.ok(!hasFileHeader(memorySource(Uint8Array.from([0x3a, 0x57, 0x26]))));
    assert.ok(!hasFileHeader(memorySource(new Uint8Array(100))));
  });

  it('gives back every record, however many blocks it takes', () => {
    fc.assert(
      fc.property(records, (written) => {
        const file = fileOf(written);
        const { read, damages, end } = readAll(file);
        assert.deepEqual(read, written.map(described));
        assert.deepEqual(damages, []);
        assert.ok(end.isComplete);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the first records of a file that is cut off anywhere, and goes on from there', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, cut) => {
        const file = fileOf(written);
        const first = readAll(file.slice(0, cut % (file.length + 1)));
        assert.deepEqual(first.read, written.slice(0, first.read.length).map(described));
        assert.deepEqual(first.damages, []);
        const rest = readAll(file, first.end.offset);
        assert.deepEqual([...first.read, ...rest.read], written.map(described));
      }),
      { numRuns: 100 },
    );
  });

  it('never throws and gives no changed record, whatever happened to a byte', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, place, change) => {
        const file = fileOf(written);
        const at = place % file.length;
        file[at] = (file[at] ?? 0) ^ change;
        const texts = new Set(written.map(described));
        for (const text of readAll(file).read) assert.ok(texts.has(text), 'a record that was never written');
      }),
      { numRuns: 100 },
    );
  });

  it('goes on with the next block behind a damaged part, and names its byte', () => {
    const written = [10, 20, blockBytes, 30].map((length, index) => new Uint8Array(length).fill(index + 1));
    const file = fileOf(written);
    const second = 7 + 7 + 10;
    file[second + 8] = 77;
    const { read, damages } = readAll(file);
    assert.deepEqual(read, [described(written[0]), described(written[3])]);
    assert.deepEqual(damages, [{ offset: second, detail: 'a part of a record does not match its checksum' }]);
  });

  it('takes zeros at the end of a file for padding', () => {
    const file = fileOf([Uint8Array.of(1, 2, 3)]);
    const { read, damages, end } = readAll(Uint8Array.from([...file, ...new Uint8Array(100)]));
    assert.deepEqual(read, ['3 of 1,2,3']);
    assert.deepEqual(damages, []);
    assert.deepEqual(end, { offset: file.length, isComplete: true });
  });
});

function readAll(file: Uint8Array, from = 0) {
  const items = readLogRecords(memorySource(file), from);
  const read: string[] = [];
  const damages: { offset: number; detail: string }[] = [];
  let next = items.next();
  for (; !next.done; next = items.next()) {
    const item = next.value;
    if (item.type === 'record') read.push(described(item.data));
    else damages.push({ offset: item.offset, detail: item.detail });
  }
  return { read, damages, end: next.value };
}

/** Short, because records are long. */
function described(data: Uint8Array = new Uint8Array(0)): string {
  return `${data.length} of ${[...new Set(data)].join()}`;
}

/** A log as LevelDB's "Log format" describes it, with the header and the checksum of Weights & Biases. */
function fileOf(records: readonly Uint8Array[]): Uint8Array {
  const bytes: number[] = [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0];
  for (const record of records) {
    let rest = record;
    let isFirst = true;
    for (let isLast = false; !isLast; ) {
      const left = blockBytes - (bytes.length % blockBytes);
      if (left < 7) {
        for (let index = 0; index < left; index++) bytes.push(0);
        continue;
      }
      const part = rest.subarray(0, left - 7);
      rest = rest.subarray(part.length);
      isLast = rest.length === 0;
      const type = isFirst ? (isLast ? 1 : 2) : isLast ? 4 : 3;
      const checksum = crc32(part, crc32(Uint8Array.of(type)));
      bytes.push(checksum & 255, (checksum >>> 8) & 255, (checksum >>> 16) & 255, checksum >>> 24);
      bytes.push(part.length & 255, part.length >>> 8, type);
      for (const byte of part) bytes.push(byte);
      isFirst = false;
    }
  }
  return Uint8Array.from(bytes);
}
