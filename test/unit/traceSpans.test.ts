import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { readTraceData } from '../../src/engine/tracking/traceSpans.ts';
import { currentTraceFile } from '../engine/traceFile.ts';

describe('Reading a file of spans', () => {
  it('reads span by span, and no further than to the first that is none', async () => {
    let given = 0;
    const pieces = function* () {
      for (const piece of ['{"spans": [', '{"name": 5}', ', ', '{}', ', ', ...currentTraceFile]) {
        given += 1;
        yield Buffer.from(piece);
      }
    };
    const content = Readable.from(pieces(), { highWaterMark: 1 });
    assert.equal(await readTraceData(content), null);
    assert.ok(given < 6, `${given} pieces`);
    assert.ok(content.destroyed);
  });

  it('reads the same, however it comes', async () => {
    const whole = await readTraceData(Readable.from([Buffer.from(currentTraceFile)]));
    assert.deepEqual(
      whole?.map(({ name }) => name),
      ['answer', 'write'],
    );
    const bytes = [...Buffer.from(currentTraceFile)].map((byte) => Buffer.from([byte]));
    assert.deepEqual(await readTraceData(Readable.from(bytes)), whole);
  });
});
