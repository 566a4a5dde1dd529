import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { SlipwayError } from '../../../src/protocol/errors.ts';
import { errorOfKind } from '../../errorOfKind.ts';
import { categoryModel, classifierModel, identityModel, linearModel } from '../../fixtures/onnxFile.ts';
import { onScoringStage } from './scoringStage.ts';

/** A model's output for a file, both as text. */
function scored(input: string | Buffer, more = {}, model?: Parameters<typeof onScoringStage>[1]) {
  return onScoringStage(async (stage) => {
    stage.put('in.csv', input);
    const report = await stage.score('in.csv', 'out.csv', more);
    return { report, text: readFileSync(stage.path('out.csv'), 'utf8'), files: readdirSync(stage.folder) };
  }, model);
}

describe('Scoring a CSV file', () => {
  it('puts the predictions beside the columns, which stay as they are spelled', async () => {
    const { report, text, files } = await scored(
      'id,a,note,b,c\n0012,1.50,"say ""hi"", all",2,3\n9007199254740993,1e0,,-2,0.10\n',
    );
    assert.equal(
      text,
      'id,a,note,b,c,y\n0012,1.50,"say ""hi"", all",2,3,15.0\n9007199254740993,1e0,,-2,0.10,-2.2\n',
    );
    assert.equal(report.rows, 2);
    assert.deepEqual(report.predictionColumns, ['y']);
    assert.deepEqual(files.sort(), ['in.csv', 'model.onnx', 'out.csv', 'out.csv.metadata.json']);
  });

  it('writes version and digest of the model beside it', async () => {
    await onScoringStage(async ({ put, score, path }) => {
      put('in.csv', 'a,b,c\n1,2,3\n');
      const { digest, metadataFile } = await score('in.csv', 'out.csv');
      const { 'slipway.scored_at': at, ...metadata } = JSON.parse(readFileSync(metadataFile ?? '', 'utf8'));
      assert.equal(metadataFile, path('out.csv.metadata.json'));
      assert.match(digest, /^[0-9a-f]{64}$/);
      assert.match(at, /^\d{4}-\d\d-\d\dT/);
      assert.deepEqual(metadata, {
        'slipway.model': 'wine',
        'slipway.version': '3',
        'slipway.digest': digest,
        'slipway.input': 'in.csv',
        'slipway.rows': '1',
      });
    });
  });

  const lineEnds = [
    ['line feeds', 'a,b,c\n1,2,3\n4,5,6\n'],
    ['no line end at the end', 'a,b,c\n1,2,3\n4,5,6'],
    ['carriage returns and line feeds', 'a,b,c\r\n1,2,3\r\n4,5,6\r\n'],
    ['a byte order mark', '\uFEFFa,b,c\n1,2,3\n4,5,6\n'],
    ['a byte order mark and a quoted header', '\uFEFF"a","b","c"\r\n1,2,3\r\n4,5,6\r\n'],
    ['empty lines', 'a,b,c\n1,2,3\n\n4,5,6\n\n'],
  ] as const;
  for (const [title, input] of lineEnds) {
    it(`takes ${title}`, async () => {
      const { text } = await scored(input);
      assert.equal(text, 'a,b,c,y\n1,2,3,14.5\n4,5,6,32.5\n');
    });
  }

  it('takes quoted line ends for part of a row', async () => {
    const { text, report } = await scored('note,a,b,c\n"one\n\ntwo\n",1,2,3\n"x\r\ny",4,5,6\n');
    assert.equal(report.rows, 2);
    assert.equal(text, 'note,a,b,c,y\n"one\n\ntwo\n",1,2,3,14.5\n"x\r\ny",4,5,6,32.5\n');
  });

  it('takes semicolons and tabs, by the header or by the name', async () => {
    const { text } = await scored('"a,x";a;b;c\n1;1;2;3\n');
    assert.equal(text, '"a,x",a,b,c,y\n1,1,2,3,14.5\n');
    await onScoringStage(async ({ put, score, path }) => {
      put('in.tsv', 'note\ta\tb\tc\nx, y\t1\t2\t3\n');
      await score('in.tsv', 'out.tsv');
      assert.equal(readFileSync(path('out.tsv'), 'utf8'), 'note\ta\tb\tc\ty\nx, y\t1\t2\t3\t14.5\n');
    });
  });

  it('takes and writes compressed files', async () => {
    await onScoringStage(async ({ put, score, path }) => {
      put('in.csv.gz', gzipSync('a,b,c\n1,2,3\n'));
      await score('in.csv.gz', 'out.csv.gz');
      assert.equal(gunzipSync(readFileSync(path('out.csv.gz'))).toString(), 'a,b,c,y\n1,2,3,14.5\n');
    });
  });

  it('gives a header for a header', async () => {
    const { text, report } = await scored('a,b,c\n');
    assert.equal(text, 'a,b,c,y\n');
    assert.equal(report.rows, 0);
    assert.equal((await scored('a,b,c')).text, 'a,b,c,y\n');
  });

  it('takes a row of 40 MB', async () => {
    const huge = 'long '.repeat(8_000_000);
    const { text, report } = await scored(`note,a,b,c\n"${huge}",1,2,3\nx,4,5,6\n`);
    assert.equal(report.rows, 2);
    assert.ok(text.endsWith(',1,2,3,14.5\nx,4,5,6,32.5\n'));
    assert.equal(text.length, huge.length + 'note,a,b,c,y\n,1,2,3,14.5\nx,4,5,6,32.5\n'.length);
  });

  it('keeps the order of a file of many blocks', async () => {
    const rows = 700_000;
    const lines = Array.from({ length: rows }, (_, row) => `${row},0.25,0`);
    const { text, report } = await scored(`a,b,c\n${lines.join('\n')}\n`);
    assert.equal(report.rows, rows);
    const [, ...found] = text.trimEnd().split('\n');
    assert.equal(found.length, rows);
    assert.equal(
      found.findIndex((line, row) => line !== `${row},0.25,0,${row + 1}.0`),
      -1,
    );
  });

  it('reads what pandas takes for missing as NaN, and leaves it as it is', async () => {
    const { text } = await scored('a,b,c\n1,2,3\n,2,3\nNA,2,3\nnan,2,3\n');
    assert.equal(text, 'a,b,c,y\n1,2,3,14.5\n,2,3,nan\nNA,2,3,nan\nnan,2,3,nan\n');
  });

  it('tells an empty text from none', async () => {
    const { text } = await scored('note,a,b,c\n"",1,2,3\n,1,2,3\n');
    assert.equal(text, 'note,a,b,c,y\n"",1,2,3,14.5\n,1,2,3,14.5\n');
  });

  it('calls a prediction otherwise than a column, and leaves the columns out when asked to', async () => {
    const taken = 'y,a,b,c\n7,1,2,3\n';
    assert.equal((await scored(taken)).text, 'y,a,b,c,y_prediction\n7,1,2,3,14.5\n');
    assert.equal((await scored(taken, { onlyPredictions: true })).text, 'y\n14.5\n');
  });

  it('writes the scores of classes in a column each', async () => {
    const model = { onnx: classifierModel(['red', 'white', 'rosé']), columns: ['a', 'b'] };
    const { text } = await scored('a,b\n1,2\n5,1\n', {}, model);
    assert.equal(
      text,
      'a,b,label,probability_red,probability_white,probability_rosé\n1,2,white,1.0,2.0,-3.0\n5,1,red,5.0,1.0,-6.0\n',
    );
  });

  it('takes columns by their order when the model does not name them', async () => {
    const model = { onnx: linearModel(), columns: null };
    assert.equal((await scored('p,q,r\n1,2,3\n', {}, model)).text, 'p,q,r,y\n1,2,3,14.5\n');
    await assert.rejects(
      scored('p,q\n1,2\n', {}, model),
      /takes 3 columns in their order.*there are 2: p, q/,
    );
  });

  it('asks a model of a fixed number of rows for just so many', async () => {
    const model = { onnx: linearModel(4), columns: ['a', 'b', 'c'] };
    const rows = Array.from({ length: 10 }, (_, row) => `${row},0,0`);
    const { text } = await scored(`a,b,c\n${rows.join('\n')}\n`, {}, model);
    const expected = rows.map((row, index) => `${row},${index + 0.5}`);
    assert.equal(text, `a,b,c,y\n${expected.join('\n')}\n`);
  });

  it('keeps integers of 64 bits exact on their way through the model', async () => {
    const model = {
      onnx: identityModel([{ name: 'big', element: 'int64', shape: ['rows', 1] }]),
      columns: ['big'],
    };
    const { text } = await scored('big\n9223372036854775807\n-9007199254740993\n2.0\n', {}, model);
    assert.match(
      text,
      /^big,big_out\n9223372036854775807,9223372036854775807\n-9007199254740993,-9007199254740993\n2\.0,2\n$/,
    );
  });

  describe('says what is wrong, and writes nothing', () => {
    const integers = {
      onnx: identityModel([
        { name: 'n', element: 'int32', shape: ['rows', 1] },
        { name: 's', element: 'string', shape: ['rows', 1] },
      ]),
      columns: ['n', 's'],
    };
    const cases = [
      [
        'missing columns',
        'a,x\n1,2\n',
        undefined,
        'scoreInputUnsuitable',
        /the columns "b", "c" are missing\. It has a, x\./,
      ],
      [
        'a text in place of a number',
        'a,b,c\n1,2,3\n1,two,3\n',
        undefined,
        'scoreRowRefused',
        /^Row 2 of .*column "b": expected a number \(FP32\), got "two"$/,
      ],
      [
        'a missing integer',
        'n,s\n1,x\n,x\n',
        integers,
        'scoreRowRefused',
        /^Row 2 of .*column "n": expected an integer .* got no value$/,
      ],
      [
        'a number that is no integer',
        'n,s\n1.5,x\n',
        integers,
        'scoreRowRefused',
        /column "n": expected an integer .* got "1\.5"/,
      ],
      ['an integer out of range', 'n,s\n3000000000,x\n', integers, 'scoreRowRefused', /column "n"/],
      [
        'a missing text',
        'n,s\n1,\n',
        integers,
        'scoreRowRefused',
        /column "s": expected a string.*got no value/,
      ],
      ['a row that is too short', 'a,b,c\n1,2,3\n1,2\n', undefined, 'dataUnreadable', /Line: 3/],
      ['a row that is too long', 'a,b,c\n1,2,3,4\n', undefined, 'dataUnreadable', /Line: 2/],
      ['a quote that is never closed', 'a,b,c\n1,"2,3\n', undefined, 'dataUnreadable', /quote/],
      ['a column that appears twice', 'a,b,c,a\n1,2,3,4\n', undefined, 'dataUnreadable', /"a" appears twice/],
      ['an empty file', '', undefined, 'dataUnreadable', /it is empty/],
    ] as const;
    for (const [title, input, model, kind, message] of cases) {
      it(`of ${title}`, async () => {
        await onScoringStage(
          async ({ put, score, folder }) => {
            put('in.csv', input);
            await assert.rejects(score('in.csv', 'out.csv'), (error) => {
              assert.ok(error instanceof SlipwayError);
              assert.equal(error.kind, kind, error.message);
              assert.match(error.message, message);
              assert.doesNotMatch(error.message, /\n|strict_mode/);
              return true;
            });
            assert.deepEqual(readdirSync(folder).sort(), ['in.csv', 'model.onnx']);
          },
          model && { ...model, columns: [...model.columns] },
        );
      });
    }

    it('of a text that is no UTF-8', async () => {
      await assert.rejects(scored(Buffer.from('a,b,c,d\n1,2,3,caf\xe9\n', 'latin1')), /not utf-8 encoded/);
    });

    it('of a row that the model itself refuses, wherever it lies', async () => {
      const colours = Array.from({ length: 10_000 }, (_, row) => (row === 7_654 ? 'green' : 'red'));
      const model = { onnx: categoryModel(['red', 'white']), columns: ['colour'] };
      await assert.rejects(scored(`colour\n${colours.join('\n')}\n`, {}, model), (error) => {
        assert.ok(error instanceof SlipwayError);
        assert.equal(error.kind, 'scoreRowRefused');
        assert.equal(error.values.row, 7_655);
        assert.match(error.message, /The model cannot take these values/);
        return true;
      });
    });

    it('of names without a format, of itself as output, and of a folder that is not there', async () => {
      await onScoringStage(async ({ put, score, path }) => {
        put('in.csv', 'a,b,c\n1,2,3\n');
        await assert.rejects(score('in.csv', 'out.txt'), errorOfKind('scoreFormatUnknown'));
        await assert.rejects(score('in.csv', 'in.csv', { force: true }), errorOfKind('scoreOutputIsInput'));
        await assert.rejects(score('in.csv', 'no/out.csv'), errorOfKind('scoreWriteFailed'));
        await assert.rejects(score('none.csv', 'out.csv'), errorOfKind('dataUnreadable'));
        await score('in.csv', 'out.txt', { outputFormat: 'csv' });
        assert.ok(existsSync(path('out.txt')));
      });
    });
  });
});
