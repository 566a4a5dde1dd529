import assert from 'node:assert/strict';
import fc from 'fast-check';
import { roomFor } from '../../src/inference/tensorMemory.ts';
import { numberArrays } from '../../src/protocol/numberData.ts';

const datatypes = ['BOOL', 'INT8', 'INT64', 'UINT64', 'UINT32', 'FP16', 'FP32', 'FP64'] as const;

describe('Room for the numbers of tensors', () => {
  it('is empty, as long as asked for, and nobody else’s', () => {
    const wanted = fc.array(fc.tuple(fc.constantFrom(...datatypes), fc.integer({ min: 0, max: 300 })), {
      maxLength: 300,
    });
    fc.assert(
      fc.property(wanted, (tensors) => {
        const rooms = tensors.map(([datatype, length]) => {
          const room = roomFor(datatype, length);
          assert.ok(room instanceof numberArrays[datatype]);
          assert.equal(room.length, length);
          return room;
        });
        const bytesOf = ({ buffer, byteOffset, byteLength }: (typeof rooms)[number]) =>
          new Uint8Array(buffer, byteOffset, byteLength);
        for (const [index, room] of rooms.entries()) {
          const bytes = bytesOf(room);
          assert.ok(bytes.every((byte) => byte === 0));
          bytes.fill((index % 255) + 1);
        }
        for (const [index, room] of rooms.entries()) {
          assert.ok(bytesOf(room).every((byte) => byte === (index % 255) + 1));
        }
      }),
    );
  });
});
