import assert from 'node:assert/strict';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

describe("MLflow's scoring protocol of a scorer", () => {
  let folder: string;
  /** One tensor of three columns with a signature. */
  let signed: RunningScorer;
  /** The same without. */
  let unsigned: RunningScorer;
  /** One input a column, of two datatypes. */
  let pipeline: RunningScorer;
  before(async () => {
    folder = await temporaryFolder();
    const columns = ['acid', 'sugar', 'salt'];
    const mixed = identityModel([
      { name: 'acid', element: 'float', shape: ['rows', 1] },
      { name: 'count', element: 'int64', shape: ['rows', 1] },
      { name: 'colour', element: 'string', shape: ['rows', 1] },
    ]);
    [signed, unsigned, pipeline] = await Promise.all([
      startScorerProcess(folder, linearModel(), { columns }),
      startScorerProcess(folder, linearModel()),
      startScorerProcess(folder, mixed),
    ]);
  });
  after(async () => {
    await Promise.all([signed, unsigned, pipeline].map((scorer) => scorer.drain()));
    await removeFolder(folder);
  });

  const invoke = (scorer: RunningScorer, body: unknown, type = 'application/json') =>
    scorer.ask('/invocations', { body, headers: { 'content-type': type } });
  const predictions = async (scorer: RunningScorer, body: unknown, type?: string) => {
    const { status, json, text } = await invoke(scorer, body, type);
    assert.equal(status, 200, text);
    return json.predictions;
  };

  it('is alive', async () => {
    for (const path of ['/ping', '/health']) assert.equal((await signed.ask(path)).text, '\n');
  });

  it('takes columns by name, in any order, and leaves out what the model does not know', async () => {
    const expected = [{ y: 14.5 }, { y: 32.5 }];
    const split = {
      columns: ['target', 'salt', 'acid', 'sugar'],
      index: [7, 8],
      data: [
        ['good', 3, 1, 2],
        ['bad', 6, 4, 5],
      ],
    };
    assert.deepEqual(await predictions(signed, { dataframe_split: split }), expected);
    const records = [
      { salt: 3, acid: 1, sugar: 2 },
      { acid: 4, sugar: 5, salt: 6 },
    ];
    assert.deepEqual(await predictions(signed, { dataframe_records: records, params: { a: 1 } }), expected);
    assert.deepEqual(await predictions(signed, { instances: records }), expected);
    assert.deepEqual(
      await predictions(signed, { inputs: { salt: [3, 6], acid: [1, 4], sugar: [2, 5] } }),
      expected,
    );
    const csv = 'salt,"acid",sugar\r\n3,1,2\r\n"6",4.0,5e0\r\n';
    assert.deepEqual(await predictions(signed, csv, 'text/csv; charset=utf-8'), expected);
  });

  it('takes columns by their order where nobody named them', async () => {
    const data = [[1, 2, 3]];
    for (const columns of [undefined, ['a', 'b', 'c'], [0, 1, 2]]) {
      assert.deepEqual(await predictions(unsigned, { dataframe_split: { columns, data } }), [{ y: 14.5 }]);
    }
    assert.deepEqual(await predictions(unsigned, 'a,b,c\n1,2,3', 'text/csv'), [{ y: 14.5 }]);
  });

  it('answers tensors for tensors', async () => {
    const rows = [
      [1, 2, 3],
      [4, 5, 6],
    ];
    const expected = { y: [[14.5], [32.5]] };
    assert.deepEqual(await predictions(unsigned, { instances: rows }), expected);
    assert.deepEqual(await predictions(unsigned, { inputs: rows }), expected);
    assert.deepEqual(await predictions(unsigned, { inputs: { x: rows } }), expected);
  });

  it('takes columns of several datatypes', async () => {
    const expected = [
      { acid_out: 0.5, count_out: 3, colour_out: 'red' },
      { acid_out: null, count_out: -4, colour_out: 'dark, "blue"' },
    ];
    const records = [
      { acid: 0.5, count: 3, colour: 'red' },
      { acid: null, count: -4, colour: 'dark, "blue"' },
    ];
    assert.deepEqual(await predictions(pipeline, { dataframe_records: records }), expected);
    const csv = 'acid,count,colour\n0.5,3,red\n,-4,"dark, ""blue"""\n';
    assert.deepEqual(await predictions(pipeline, csv, 'text/csv'), expected);
    const inputs = { acid: [[0.5]], count: [[3]], colour: [['red']] };
    assert.deepEqual(await predictions(pipeline, { inputs }), {
      acid_out: [[0.5]],
      count_out: [[3]],
      colour_out: [['red']],
    });
  });

  it('answers the scores of a classifier as maps', async () => {
    const scorer = await startScorerProcess(folder, classifierModel([10, 20, 30]));
    assert.deepEqual(
      await predictions(scorer, { dataframe_split: { columns: ['a', 'b'], data: [[1, 2]] } }),
      [{ label: 20, probability: { 10: 1, 20: 2, 30: -3 } }],
    );
    assert.deepEqual(await predictions(scorer, { inputs: [[1, 2]] }), {
      label: [20],
      probability: [{ 10: 1, 20: 2, 30: -3 }],
    });
    await scorer.drain();
  });

  it('answers no rows for no rows', async () => {
    assert.deepEqual(await predictions(signed, { dataframe_records: [] }), []);
    assert.deepEqual(await predictions(signed, 'acid,sugar,salt\n', 'text/csv'), []);
  });

  describe('refuses with 400 and a sentence that names the field', () => {
    const split = (columns: unknown, data: unknown) => ({ dataframe_split: { columns, data } });
    const cases: readonly [string, unknown, RegExp][] = [
      ['a bare list', [[1, 2, 3]], /exactly one of the input fields .*Received a list/],
      ['no format', { data: [] }, /exactly one of .*Received dictionary with input fields: data/],
      ['two formats', { instances: [], inputs: [] }, /input fields: instances, inputs/],
      [
        'a missing column',
        split(['acid', 'salt'], [[1, 2]]),
        /column "sugar" is missing.*acid, sugar, salt/i,
      ],
      ['a column twice', split(['acid', 'salt', 'acid'], []), /column "acid" appears twice/],
      ['a ragged row', split(['acid', 'sugar', 'salt'], [[1, 2, 3], [1]]), /Row 1 has 1 values.*3 columns/],
      [
        'a wrong value',
        split(['acid', 'sugar', 'salt'], [[1, 'much', 3]]),
        /Column "sugar", element of row 0.*"much"/,
      ],
      ['a record without a column', { dataframe_records: [{ acid: 1 }, {}] }, /"acid" is missing in row 1/],
      ['a record with another column', { dataframe_records: [{ acid: 1 }, { acid: 1, b: 2 }] }, /Row 1.*"b"/],
      [
        'columns of different lengths',
        { inputs: { acid: [1], sugar: [1, 2] } },
        /"sugar" has 2 values.*"acid" has 1/,
      ],
      ['an unknown tensor', { inputs: { z: [1] } }, /no input "z"/],
      [
        'a tensor of a wrong width',
        { inputs: [[1, 2]] },
        /Input "x": expected shape \[any, 3\], got \[1, 2\]/,
      ],
      ['a ragged tensor', { inputs: [[1, 2, 3], [1]] }, /Input "x": data\[1\] has 1/],
      ['no rows at all', { dataframe_split: { columns: ['a'] } }, /must have 'data' field/],
    ];
    for (const [title, body, message] of cases) {
      it(title, async () => {
        const { status, json } = await invoke(signed, body);
        assert.equal(status, 400);
        assert.equal(json.error_code, 'BAD_REQUEST');
        assert.match(json.message, message);
        assert.deepEqual(Object.keys(json), ['error_code', 'message']);
      });
    }

    it('CSV that is none', async () => {
      for (const [csv, message] of [
        ['', /CSV is empty/],
        ['a,"b\n1,2', /never closed/],
        ['a,"b"c\n', /after a closing quote/],
        ['acid,sugar,salt\n1,2\n', /Row 0 has 2 values/],
        ['acid,sugar,salt\n1,0x10,2\n', /Column "sugar".*"0x10"/],
      ] as const) {
        const { status, json } = await invoke(signed, csv, 'text/csv');
        assert.equal(status, 400, csv);
        assert.match(json.message, message);
      }
    });
  });

  it('refuses other content types with 415', async () => {
    for (const type of ['text/plain', 'application/json; charset=latin-1', 'application/xml']) {
      assert.equal((await invoke(signed, '{}', type)).status, 415, type);
    }
  });
});
