import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
import { createLoadedModels } from '../../../src/scorer/loadedModels.ts';

/** What blocks this thread. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

describe('loaded models', () => {
  const blockedOpening = (overdue: AbortController, closed: () => void, ran: () => void) =>
    createLoadedModels({
      main: 'wine',
      async open() {
        setTimeout(() => overdue.abort(new Error('It took too long.')), 1);
        // As the runtime does: within a turn of the event loop that comes after the timers had theirs.
        await setImmediate();
        block(20);
        return {
          inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 1] }],
          outputs: [{ name: 'y', datatype: 'FP32', shape: [-1, 1], labels: null }],
          facts: [],
          warnings: [],
          run: (feeds) => {
            ran();
            return Promise.resolve(typeof feeds === 'function' ? feeds() : feeds);
          },
          close: () => Promise.resolve(closed()),
        };
      },
      batchRows: 1,
    });
  const description = {
    name: 'wine',
    version: 1,
    source: { type: 'onnx' as const, file: 'wine.onnx' },
    labels: [],
  };

  it('do not begin to warm, which may block for long, what took too long to open', async () => {
    const overdue = new AbortController();
    let [runs, closes] = [0, 0];
    const models = blockedOpening(
      overdue,
      () => closes++,
      () => runs++,
    );
    await assert.rejects(models.load(description, overdue.signal), /It took too long/);
    assert.deepEqual([runs, closes, models.names()], [0, 1, []]);
  });

  it('warm what is wanted before it is asked, and look no more at how long that takes', async () => {
    let runs = 0;
    const models = blockedOpening(
      new AbortController(),
      () => undefined,
      () => runs++,
    );
    const wanted = new AbortController();
    const { predictor } = await models.load(description, wanted.signal);
    wanted.abort();
    const warming = runs;
    assert.ok(warming > 0);
    await predictor.predict([{ datatype: 'FP32', shape: [1, 1], data: Float32Array.of(1) }]);
    assert.equal(runs, warming + 1);
    await models.close();
  });
});
