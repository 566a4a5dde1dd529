import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createFrameReader, encodeFrame } from '../../src/inference/python/frames.ts';

describe('Frames of the conversation with Python', () => {
  it('come out as they went in, however the stream is cut', () => {
    const frame = fc.record({ header: fc.jsonValue(), body: fc.uint8Array({ maxLength: 50 }) });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 5 }), fc.array(fc.nat(40)), (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap(({ header, body }) => encodeFrame(header, [body.subarray(0, 3), body.subarray(3)])),
        );
        const reader = createFrameReader();
        const read: { readonly header: unknown; readonly body: number[] }[] = [];
        let at = 0;
        for (const cut of [...cuts, stream.length]) {
          const piece = stream.subarray(at, at + cut + 1);
          at += cut + 1;
          for (const { header, body } of reader.take(piece)) read.push({ header, body: [...body] });
        }
        assert.deepEqual(
          read,
          frames.map(({ header, body }) => ({ header: JSON.parse(JSON.stringify(header)), body: [...body] })),
        );
      }),
    );
  });
});
