import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { joinRows, type ModelRun, sliceRows } from '../../src/inference/batching.ts';
import { allocate, type Datatype, runtimeTypes, type Tensor } from '../../src/inference/datatypes.ts';
import { loadModel, type Model } from '../../src/inference/model.ts';
import { createPredictor } from '../../src/inference/predictor.ts';
import { loadRuntime } from '../../src/inference/runtime.ts';
import { categoryModel, identityModel, linearModel, runningSumModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');
const collectYoung = (): void => collect({ type: 'minor' });

describe('Rows of tensors', () => {
  it('lie one below the other and are found again, whatever the datatype', () => {
    const datatypes = Object.keys(runtimeTypes).filter((name): name is Datatype => name in runtimeTypes);
    const content = fc.array(fc.nat(1), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        fc.constantFrom(...datatypes),
        fc.array(content, { minLength: 1, maxLength: 4 }),
        (datatype, lists) => {
          const tensors = lists.map((values): Tensor => {
            const data = allocate(datatype, values.length * 2);
            for (const [index, value] of [...values, ...values].entries()) {
              if (Array.isArray(data)) data[index] = `text ${value}`;
              else if (data instanceof BigInt64Array || data instanceof BigUint64Array)
                data[index] = BigInt(value);
              else data[index] = value;
            }
            return { datatype, shape: [values.length, 2], data };
          });
          const joined = joinRows(tensors);
          let from = 0;
          for (const tensor of tensors) {
            const to = from + (tensor.shape[0] ?? 0);
            assert.deepEqual(sliceRows(joined, from, to), tensor);
            from = to;
          }
          assert.deepEqual(joined.shape, [from, 2]);
        },
      ),
    );
  });
});

describe('Requests that come at the same time', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const infer = (scorer: RunningScorer, name: string, datatype: string, shape: number[], data: unknown[]) =>
    scorer.ask('/v2/models/wine/infer', { body: { inputs: [{ name, datatype, shape, data }] } });

  it('each get the answer to their own rows', async () => {
    const scorer = await startScorerProcess(folder, linearModel());
    const answers = await Promise.all(
      Array.from({ length: 200 }, async (_, request) => {
        const rows = (request % 3) + 1;
        const data = Array.from({ length: rows * 3 }, (_, index) => request + index);
        const { json } = await infer(scorer, 'x', 'FP32', [rows, 3], data);
        return { request, rows, data: json.outputs[0].data };
      }),
    );
    for (const { request, rows, data } of answers) {
      const first = request + 2 * (request + 1) + 3 * (request + 2) + 0.5;
      assert.deepEqual(
        data,
        Array.from({ length: rows }, (_, row) => first + row * 18),
      );
    }
    await scorer.drain();
  });

  it('do not share a run where rows depend on each other', async () => {
    const scorer = await startScorerProcess(folder, runningSumModel());
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, request) => infer(scorer, 'x', 'FP32', [2, 1], [request, 1])),
    );
    for (const [request, { json }] of answers.entries()) {
      assert.deepEqual(json.outputs[0].data, [request, request + 1]);
    }
    await scorer.drain();
  });

  // The example request that warms a model up is refused by one of the two, so only the other shares runs.
  for (const categories of [
    ['green', 'red'],
    ['green', 'red', ''],
  ]) {
    it(`do not fail with the one whose values the model cannot take (${categories.length} categories)`, async () => {
      const scorer = await startScorerProcess(folder, categoryModel(categories));
      const colours = Array.from({ length: 60 }, (_, request) => (request % 10 === 3 ? 'blue' : 'green'));
      const answers = await Promise.all(
        colours.map((colour) => infer(scorer, 'colour', 'BYTES', [1, 1], [colour])),
      );
      for (const [request, { status, json }] of answers.entries()) {
        if (colours[request] === 'green') assert.deepEqual(json.outputs[0].data.slice(0, 2), [1, 0]);
        else {
          assert.equal(status, 400);
          assert.match(json.error, /cannot take these values/);
          assert.doesNotMatch(json.error, /onnxruntime_src|\.cc:/);
        }
      }
      const refused = scorer.messages.some(({ type }) => type === 'warning');
      assert.equal(refused, !categories.includes(''));
      await scorer.drain();
    });
  }

  describe('in the same turn of the event loop', () => {
    /** A predictor whose runs of the model are counted, warm-up left out. */
    const countedPredictor = async (
      onnx: Buffer,
      batchRows?: number,
      observe: (run: ModelRun) => void = () => undefined,
    ) => {
      const file = join(folder, `${crypto.randomUUID()}.onnx`);
      await writeFile(file, onnx);
      const model = await loadModel(await loadRuntime(), { name: 'wine', version: 1, file });
      let runs = 0;
      const counted: Model = {
        ...model,
        run(feeds) {
          runs++;
          return model.run(feeds);
        },
      };
      const predictor = await createPredictor(counted, null, null, batchRows, observe);
      runs = 0;
      return { predictor, runs: () => runs, close: () => model.close() };
    };
    const row = (...values: number[]): Tensor[] => [
      { datatype: 'FP32', shape: [1, values.length], data: Float32Array.from(values) },
    ];

    it('share one run', async () => {
      const { predictor, runs, close } = await countedPredictor(linearModel());
      const outputs = await Promise.all([1, 2, 3, 4].map((value) => predictor.predict(row(value, 0, 0))));
      assert.deepEqual(
        outputs.map(([output]) => output?.data[0]),
        [1.5, 2.5, 3.5, 4.5],
      );
      assert.equal(runs(), 1);
      await close();
    });

    it('share the run with those that come before it computes', async () => {
      const { predictor, runs, close } = await countedPredictor(linearModel());
      const first = [1, 2].map((value) => predictor.predict(row(value, 0, 0)));
      // Now the runtime was asked, and computes in the next turn.
      await setImmediate();
      assert.equal(runs(), 1);
      const outputs = await Promise.all([
        ...first,
        ...[3, 4].map((value) => predictor.predict(row(value, 0, 0))),
      ]);
      assert.deepEqual(
        outputs.map(([output]) => output?.data[0]),
        [1.5, 2.5, 3.5, 4.5],
      );
      assert.equal(runs(), 1);
      await close();
    });

    it('share the run with those that come before it computes, in all inputs, up to a full batch', async () => {
      const tensor = (...values: number[]): Tensor => ({
        datatype: 'FP32',
        shape: [values.length],
        data: Float32Array.from(values),
      });
      const observed: ModelRun[] = [];
      const { predictor, runs, close } = await countedPredictor(
        identityModel([
          { name: 'x', element: 'float', shape: [-1] },
          { name: 'z', element: 'float', shape: [-1] },
        ]),
        6,
        (run) => observed.push(run),
      );
      const requests = [
        [tensor(1), tensor(10)],
        [tensor(2), tensor(20)],
        [tensor(3, 4), tensor(30, 40)],
        [tensor(5, 6, 7), tensor(50, 60, 70)],
        [tensor(8), tensor(80)],
      ];
      const first = requests.slice(0, 2).map((feeds) => predictor.predict(feeds));
      await setImmediate();
      const outputs = await Promise.all([
        ...first,
        ...requests.slice(2).map((feeds) => predictor.predict(feeds)),
      ]);
      assert.deepEqual(outputs, requests);
      assert.equal(runs(), 2);
      assert.deepEqual(
        observed.map((run) => [run.requests, run.rows]),
        [
          [3, 4],
          [2, 4],
        ],
      );
      await close();
    });

    it('leave none of their values behind once they are answered', async () => {
      const columns = 10_000;
      const { predictor, close } = await countedPredictor(
        identityModel([{ name: 'x', element: 'float', shape: [-1, columns] }]),
      );
      const ask = () =>
        predictor.predict([{ datatype: 'FP32', shape: [1, columns], data: new Float32Array(columns) }]);
      const held = () => {
        // A full one would also free what only the engine's own tables refer to.
        collectYoung();
        collectYoung();
        return process.memoryUsage().arrayBuffers;
      };
      const before = held();
      for (let turn = 0; turn < 50; turn++) {
        const first = [ask(), ask()];
        await setImmediate();
        await Promise.all([...first, ask()]);
      }
      const left = held() - before;
      // They brought 6 MB.
      assert.ok(left < 5_000_000, `${left} bytes`);
      await close();
    });

    it('leave a run that began with many rows as it is', async () => {
      const { predictor, runs, close } = await countedPredictor(linearModel());
      const rows = (count: number): Tensor[] => [
        { datatype: 'FP32', shape: [count, 3], data: new Float32Array(count * 3) },
      ];
      const first = [32, 32].map((count) => predictor.predict(rows(count)));
      await setImmediate();
      await Promise.all([...first, predictor.predict(rows(1))]);
      assert.equal(runs(), 2);
      await close();
    });

    it('tell how long they waited until the runtime was asked, which those that came later did not', async () => {
      const block = (milliseconds: number) =>
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
      const observed: ModelRun[] = [];
      const { predictor, close } = await countedPredictor(linearModel(), 1024, (run) => observed.push(run));
      const first = [1, 2].map((value) => predictor.predict(row(value, 0, 0)));
      block(20);
      await setImmediate();
      block(50);
      await Promise.all([...first, predictor.predict(row(3, 0, 0))]);
      const [run] = observed;
      assert.equal(run?.requests, 3);
      // That the last one came 50 ms later takes nothing from the 20 ms that two waited.
      assert.ok(run.queueMicroseconds > 38_000, `${run.queueMicroseconds}`);
      await close();
    });

    it('wait no negative time where they share no runs', async () => {
      for (const [onnx, values, batchRows] of [
        [linearModel(), [1, 1, 1], 1],
        [runningSumModel(), [1], 1024],
      ] as const) {
        const observed: ModelRun[] = [];
        const { predictor, close } = await countedPredictor(onnx, batchRows, (run) => observed.push(run));
        await Promise.all([1, 2].map(() => predictor.predict(row(...values))));
        assert.deepEqual(
          observed.map((run) => [run.requests, run.rows]),
          [
            [1, 1],
            [1, 1],
          ],
        );
        for (const run of observed) assert.ok(run.queueMicroseconds >= 0 && run.runMicroseconds > 0);
        await close();
      }
    });

    it('do not fail with one that came before the shared run computed', async () => {
      const { predictor, runs, close } = await countedPredictor(categoryModel(['green', 'red', '']));
      const ask = (colour: string) =>
        predictor.predict([{ datatype: 'BYTES', shape: [1, 1], data: [colour] }]);
      const first = [ask('green'), ask('red')];
      await setImmediate();
      const outcomes = await Promise.allSettled([...first, ask('blue'), ask('green')]);
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal(runs(), 5);
      await close();
    });

    it('share only as many rows as they may', async () => {
      for (const [batchRows, expected] of [
        [1, 4],
        [2, 2],
        [3, 2],
      ] as const) {
        const { predictor, runs, close } = await countedPredictor(linearModel(), batchRows);
        await Promise.all([1, 2, 3, 4].map((value) => predictor.predict(row(value, 0, 0))));
        assert.equal(runs(), expected);
        await close();
      }
    });

    it('run one by one where rows depend on each other', async () => {
      const { predictor, runs, close } = await countedPredictor(runningSumModel());
      const outputs = await Promise.all([1, 2, 3].map((value) => predictor.predict(row(value))));
      assert.deepEqual(
        outputs.map(([output]) => output?.data[0]),
        [1, 2, 3],
      );
      assert.equal(runs(), 3);
      await close();
    });

    it('run again one by one when the shared run fails', async () => {
      const { predictor, runs, close } = await countedPredictor(categoryModel(['green', 'red', '']));
      const outcomes = await Promise.allSettled(
        ['green', 'blue', 'red'].map((colour) =>
          predictor.predict([{ datatype: 'BYTES', shape: [1, 1], data: [colour] }]),
        ),
      );
      assert.deepEqual(
        outcomes.map(({ status }) => status),
        ['fulfilled', 'rejected', 'fulfilled'],
      );
      assert.equal(runs(), 4);
      await close();
    });

    it('run one by one where an input of unknown rank takes scalars, or another number of rows', async () => {
      const tensor = (...shape: number[]): Tensor => ({
        datatype: 'FP32',
        shape,
        data: Float32Array.from({ length: shape[0] ?? 1 }, (_, index) => index + 7),
      });
      const { predictor, runs, close } = await countedPredictor(
        identityModel([
          { name: 'x', element: 'float', shape: null },
          { name: 'z', element: 'float', shape: null },
        ]),
      );
      const requests = [
        [tensor(), tensor()],
        [tensor(), tensor()],
        [tensor(1), tensor(2)],
        [tensor(2), tensor(1)],
      ];
      const outputs = await Promise.all(requests.map((feeds) => predictor.predict(feeds)));
      assert.deepEqual(outputs, requests);
      assert.equal(runs(), 4);
      await close();
    });

    it('start a new run when one is full', async () => {
      const { predictor, runs, close } = await countedPredictor(linearModel());
      const rows = (count: number): Tensor[] => [
        { datatype: 'FP32', shape: [count, 3], data: new Float32Array(count * 3) },
      ];
      const outputs = await Promise.all(
        [1000, 1000, 24, 5000].map((count) => predictor.predict(rows(count))),
      );
      assert.deepEqual(
        outputs.map(([output]) => output?.shape[0]),
        [1000, 1000, 24, 5000],
      );
      assert.equal(runs(), 3);
      await close();
    });
  });
});
