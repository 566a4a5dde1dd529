import assert from 'node:assert/strict';
import fc from 'fast-check';
import { crc32c, maskedCrc32c } from '../../../src/worker/import/tensorboard/crc32c.ts';
import { readTfRecords } from '../../../src/worker/import/tensorboard/tfRecord.ts';
import { memorySource } from '../../../src/worker/import/tracker/byteSource.ts';

const records = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 8 });

describe('Reading TFRecord files', () => {
  it('computes CRC-32C as RFC 3720 shows it', () => {
    assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa);
    assert.equal(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43);
    assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e);
  });

  it('gives back every record of a whole file, and where it ended', () => {
    fc.assert(
      fc.property(records, (written) => {
        const file = written.flatMap((data) => [...recordBytes(data)]);
        const { read, damages, end } = readAll(Uint8Array.from(file));
        assert.deepEqual(read, written.map(plain));
        assert.deepEqual(damages, []);
        assert.deepEqual(end, { offset: file.length, isComplete: true });
      }),
    );
  });

  it('gives the first records of a file that is cut off anywhere, and goes on from there', () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, cut) => {
        const file = Uint8Array.from(written.flatMap((data) => [...recordBytes(data)]));
        const length = file.length === 0 ? 0 : cut % (file.length + 1);
        const first = readAll(file.slice(0, length));
        assert.deepEqual(first.read, written.slice(0, first.read.length).map(plain));
        assert.deepEqual(first.damages, []);
        assert.equal(first.end.isComplete, first.end.offset === length);
        const rest = readAll(file, first.end.offset);
        assert.deepEqual([...first.read, ...rest.read], written.map(plain));
      }),
    );
  });

  it('never throws and gives no changed record, whatever happened to a byte', () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.integer({ min: 1, max: 255 }), (written, place, change) => {
        const file = Uint8Array.from(written.flatMap((data) => [...recordBytes(data)]));
        if (file.length === 0) return;
        const at = place % file.length;
        file[at] = (file[at] ?? 0) ^ change;
        const { read, damages } = readAll(file);
        const texts = new Set(written.map((data) => plain(data).join()));
        for (const data of read) assert.ok(texts.has(data.join()), 'a record that was never written');
        assert.ok(read.length >= written.length - 1 || damages.length > 0);
      }),
    );
  });

  it('names the byte of a record that does not match its checksum, and reads those after it', () => {
    const file = Uint8Array.from(
      [[1, 2], [3, 4, 5], [6]].flatMap((data) => [...recordBytes(Uint8Array.from(data))]),
    );
    const second = 16 + 2;
    file[second + 12] = 99;
    const { read, damages } = readAll(file);
    assert.deepEqual(read, [[1, 2], [6]]);
    assert.deepEqual(damages, [{ offset: second, detail: 'a record does not match its checksum' }]);
  });

  it('stops where a length is damaged, because nothing says where the next record begins', () => {
    const file = Uint8Array.from(
      [[1, 2], [3, 4, 5], [6]].flatMap((data) => [...recordBytes(Uint8Array.from(data))]),
    );
    const second = 16 + 2;
    file[second] = 200;
    const { read, damages, end } = readAll(file);
    assert.deepEqual(read, [[1, 2]]);
    assert.deepEqual(damages, [
      { offset: second, detail: 'the length of a record does not match its checksum' },
    ]);
    assert.deepEqual(end, { offset: second, isComplete: false });
  });
});

function readAll(file: Uint8Array, from = 0) {
  const items = readTfRecords(memorySource(file), from);
  const read: number[][] = [];
  const damages: { offset: number; detail: string }[] = [];
  let next = items.next();
  for (; !next.done; next = items.next()) {
    const item = next.value;
    if (item.type === 'record') read.push(plain(item.data));
    else damages.push({ offset: item.offset, detail: item.detail });
  }
  return { read, damages, end: next.value };
}

function recordBytes(data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(bytes.subarray(0, 8)), true);
  bytes.set(data, 12);
  view.setUint32(12 + data.length, maskedCrc32c(data), true);
  return bytes;
}

function plain(bytes: Uint8Array): number[] {
  return [...bytes];
}
