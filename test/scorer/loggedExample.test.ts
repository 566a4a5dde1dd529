import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { categoryModel, identityModel, linearModel, runningSumModel } from '../fixtures/onnxFile.ts';
import { removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe('The input example that was logged with a model', () => {
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  const serve = async (model: Buffer, content: string, columns?: readonly string[]) => {
    const example = join(folder, `${crypto.randomUUID()}.json`);
    await writeFile(example, content);
    const scorer = await startScorerProcess(folder, model, { example, ...(columns && { columns }) });
    const { exampleRequest } = scorer.version;
    const answer = await scorer.ask('/v2/models/wine/infer', { body: exampleRequest });
    await scorer.drain();
    const warnings = scorer.messages.flatMap((told) => (told.type === 'warning' ? told.message : []));
    return { inputs: JSON.parse(exampleRequest).inputs, answer, warnings };
  };

  it('is taken by a model that refuses what it does not know', async () => {
    for (const [content, columns] of [
      ['{"inputs":{"colour":[["red"],["green"]]}}', undefined],
      ['{"colour":["red"]}', ['colour']],
    ] as const) {
      const { inputs, answer, warnings } = await serve(categoryModel(['green', 'red']), content, columns);
      assert.deepEqual(inputs, [{ name: 'colour', shape: [1, 1], datatype: 'BYTES', data: ['red'] }]);
      assert.deepEqual([answer.status, warnings], [200, []]);
      assert.deepEqual(answer.json.outputs[0].data, [0, 1]);
    }
  });

  it('is read in every form that MLflow writes', async () => {
    const columns = ['acid', 'sugar', 'salt'];
    const split = {
      columns: ['salt', 'acid', 'sugar'],
      data: [
        [8.6, 0.1, 3],
        [1, 2, 3],
      ],
    };
    const list = [
      [0.1, 3, 8.6],
      [1, 2, 3],
    ];
    const forms = [
      split,
      { dataframe_split: split },
      { inputs: list },
      { instances: list },
      list,
      { x: list },
    ];
    for (const form of forms) {
      const { inputs, answer, warnings } = await serve(linearModel(), JSON.stringify(form), columns);
      const expected = [{ name: 'x', shape: [1, 3], datatype: 'FP32', data: [0.1, 3, 8.6] }];
      assert.deepEqual(inputs, expected, JSON.stringify(form));
      assert.deepEqual([answer.status, warnings], [200, []]);
    }
    const { inputs } = await serve(linearModel(), JSON.stringify({ data: list }));
    assert.deepEqual(inputs[0].data, [0.1, 3, 8.6]);
  });

  it('stays whole where the model takes a fixed number of rows', async () => {
    const whole = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const { inputs, answer } = await serve(linearModel(2), JSON.stringify({ inputs: whole }));
    assert.deepEqual([inputs[0].shape, inputs[0].data, answer.status], [[2, 3], whole.flat(), 200]);
  });

  it('gives way to a made-up one when it is of no use, which is said', async () => {
    const table = identityModel([{ name: 'x', element: 'float', shape: ['rows', 1] }]);
    for (const content of ['no JSON', '{"inputs":{"z":[1]}}', '[["a"]]', '[]', 'null']) {
      const { inputs, answer, warnings } = await serve(table, content);
      assert.deepEqual([inputs[0].data, answer.status], [[1], 200], content);
      assert.match(warnings.join(), /input example that was logged with the model cannot be used/);
    }
  });

  it('does not make dependent rows look independent', async () => {
    for (const content of ['[[1],[2]]', '[[3]]']) {
      const example = join(folder, 'sum.json');
      await writeFile(example, content);
      const scorer = await startScorerProcess(folder, runningSumModel(), { example });
      const body = { inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 1], data: [5] }] };
      const answers = await Promise.all(
        Array.from({ length: 50 }, () => scorer.ask('/v2/models/wine/infer', { body })),
      );
      for (const { json } of answers) assert.deepEqual(json.outputs[0].data, [5]);
      await scorer.drain();
    }
  });
});
