import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { errorOfKind } from '../../errorOfKind.ts';
import { classifierModel, identityModel } from '../../fixtures/onnxFile.ts';
import { query } from './dataQuery.ts';
import { onScoringStage, type ScoringStage } from './scoringStage.ts';

/** Writes a Parquet file with the columns of a SELECT. */
async function parquet(stage: ScoringStage, name: string, select: string): Promise<void> {
  await query(`COPY (${select}) TO '${stage.path(name)}' (FORMAT parquet)`);
}

const text = (stage: ScoringStage, name: string) => readFileSync(stage.path(name), 'utf8');

describe('Scoring a Parquet file', () => {
  const manyTypes = `SELECT 9007199254740993::BIGINT AS id, 12345678901234567890.12::DECIMAL(38, 2) AS money,
      TIMESTAMP '2024-02-29 10:00:00.123456' AS at, TIMESTAMPTZ '2024-02-29 10:00:00+02' AS zoned,
      DATE '2024-02-29' AS day, 'a ''quoted'' "text"' AS note, [1.5::FLOAT, NULL] AS list,
      {'k': 1, 'v': 'x'} AS pair, true AS flag, 'ab'::BLOB AS bytes, 1::TINYINT AS a, 2.5::DECIMAL(4, 2) AS b, 3::DOUBLE AS c
    UNION ALL SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 4, NULL, 6`;

  it('keeps every column as it is, with its type, and puts the predictions beside them', async () => {
    await onScoringStage(async (stage) => {
      await parquet(stage, 'in.parquet', manyTypes);
      const report = await stage.score('in.parquet', 'out.parquet');
      assert.equal(report.metadataFile, null);
      const types = (name: string) =>
        query(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '${stage.path(name)}')`);
      assert.deepEqual(await types('out.parquet'), [
        ...(await types('in.parquet')),
        { column_name: 'y', column_type: 'FLOAT' },
      ]);
      const [difference] = await query(
        `SELECT count(*)::INT AS rows FROM ((SELECT * FROM '${stage.path('in.parquet')}')
           EXCEPT ALL (SELECT * EXCLUDE y FROM '${stage.path('out.parquet')}'))`,
      );
      assert.equal(difference?.rows, 0);
      const values = await query(`SELECT y FROM '${stage.path('out.parquet')}'`);
      assert.deepEqual(values, [{ y: 15.5 }, { y: Number.NaN }]);
    });
  });

  it('has version and digest of the model in its metadata', async () => {
    await onScoringStage(async (stage) => {
      await parquet(stage, 'in.parquet', 'SELECT 1 AS a, 2 AS b, 3 AS c');
      const { digest } = await stage.score('in.parquet', 'out.parquet');
      const pairs = await query(
        `SELECT decode(key) AS key, decode(value) AS value FROM parquet_kv_metadata('${stage.path('out.parquet')}')`,
      );
      const metadata = Object.fromEntries(pairs.map(({ key, value }) => [key, value]));
      assert.equal(metadata['slipway.model'], 'wine');
      assert.equal(metadata['slipway.version'], '3');
      assert.equal(metadata['slipway.digest'], digest);
      assert.equal(metadata['slipway.rows'], '1');
      assert.equal(metadata['slipway.input'], 'in.parquet');
    });
  });

  it('writes it as JSON lines, in which nothing is no JSON and no digit is lost', async () => {
    await onScoringStage(async (stage) => {
      await parquet(
        stage,
        'in.parquet',
        `SELECT 9007199254740993 AS id, 12345678901234567890.12::DECIMAL(38, 2) AS money, 8.6::FLOAT AS a,
           'Infinity'::DOUBLE AS b, 0 AS c, [1.5::FLOAT, 'NaN'::FLOAT] AS list, {'k': 8.6::FLOAT} AS pair
         UNION ALL SELECT 1, NULL, 'NaN'::FLOAT, 1, 0, NULL, NULL`,
      );
      await stage.score('in.parquet', 'out.jsonl');
      assert.equal(
        text(stage, 'out.jsonl'),
        `${[
          '{"id":9007199254740993,"money":12345678901234567890.12,"a":8.6,"b":"Infinity","c":0,"list":[1.5,null],"pair":{"k":8.6},"y":"Infinity"}',
          '{"id":1,"money":null,"a":null,"b":1.0,"c":0,"list":null,"pair":null,"y":null}',
        ].join('\n')}\n`,
      );
    });
  });

  it('writes it as CSV', async () => {
    await onScoringStage(async (stage) => {
      await parquet(stage, 'in.parquet', manyTypes);
      await stage.score('in.parquet', 'out.csv');
      const [, first, second] = text(stage, 'out.csv').split('\n');
      assert.match(first ?? '', /^9007199254740993,12345678901234567890\.12,2024-02-29 10:00:00\.123456,/);
      assert.match(second ?? '', /^,,,,,,,,,,4,,6\.0,nan$/);
    });
  });

  it('gives no row for no row, with the columns and their types', async () => {
    await onScoringStage(async (stage) => {
      await parquet(stage, 'in.parquet', `SELECT 'x' AS note, 1 AS a, 2 AS b, 3 AS c WHERE false`);
      const { rows } = await stage.score('in.parquet', 'out.parquet');
      assert.equal(rows, 0);
      assert.deepEqual(
        await query(
          `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM '${stage.path('out.parquet')}')`,
        ),
        [
          ['note', 'VARCHAR'],
          ['a', 'INTEGER'],
          ['b', 'INTEGER'],
          ['c', 'INTEGER'],
          ['y', 'FLOAT'],
        ].map(([column_name, column_type]) => ({ column_name, column_type })),
      );
    });
  });

  it('keeps the order of many row groups and parts, row by row', async () => {
    await onScoringStage(async (stage) => {
      await query(
        `COPY (SELECT 'r' || i AS id, i AS a, 0 AS b, 0 AS c FROM range(300000) t(i)) TO '${stage.path('in.parquet')}'
           (FORMAT parquet, ROW_GROUP_SIZE 5000)`,
      );
      const { rows } = await stage.score('in.parquet', 'out.parquet', { keepMilliseconds: 100 });
      const [found] = await query(
        `SELECT count(*)::INT AS rows, bool_and(id = 'r' || file_row_number AND y = a + 0.5) AS right
         FROM read_parquet('${stage.path('out.parquet')}', file_row_number = true)`,
      );
      assert.deepEqual([rows, found], [300_000, { rows: 300_000, right: true }]);
    });
  });

  it('says what a column holds that the model cannot take', async () => {
    await onScoringStage(async (stage) => {
      await parquet(stage, 'in.parquet', 'SELECT [1] AS a, 2 AS b, 3 AS c');
      await assert.rejects(
        stage.score('in.parquet', 'out.parquet'),
        /the column "a" holds INTEGER\[\], but the model takes a number \(FP32\)/,
      );
      stage.put('broken.parquet', 'PAR1 and no more');
      await assert.rejects(stage.score('broken.parquet', 'out.parquet'), errorOfKind('dataUnreadable'));
    });
  });

  it('passes texts, truths and integers of every size through a model', async () => {
    const elements = [
      'string',
      'bool',
      'int8',
      'uint8',
      'int16',
      'uint16',
      'int32',
      'uint32',
      'int64',
      'uint64',
      'float16',
      'double',
    ] as const;
    const inputs = elements.map((element) => ({ name: element, element, shape: ['rows', 1] }));
    const model = { onnx: identityModel(inputs), columns: [...elements] };
    await onScoringStage(async (stage) => {
      const smallest = `'ü😀' AS string, true AS bool, -128 AS int8, 255 AS uint8, -32768 AS int16, 65535 AS uint16,
        -2147483648 AS int32, 4294967295 AS uint32, -9223372036854775808 AS int64,
        18446744073709551615::UBIGINT AS uint64, 0.5 AS float16, 1e300 AS double`;
      await parquet(stage, 'in.parquet', `SELECT ${smallest}`);
      await stage.score('in.parquet', 'out.jsonl', { onlyPredictions: true });
      assert.equal(
        text(stage, 'out.jsonl'),
        '{"string_out":"ü😀","bool_out":true,"int8_out":-128,"uint8_out":255,"int16_out":-32768,"uint16_out":65535,"int32_out":-2147483648,"uint32_out":4294967295,"int64_out":-9223372036854775808,"uint64_out":18446744073709551615,"float16_out":0.5,"double_out":1e300}\n',
      );
    }, model);
  });
});

describe('Scoring JSON lines', () => {
  const lines = [
    '{"id":12345678901234567890123,"a":1,"b":2.50,"c":3,"tags":["x",{"k":1}],"at":"2024-01-01T00:00:00Z","late":null}',
    '',
    '{"c":0,"a":"NaN","b":null,"id":7}\r',
    '{"a":1e0,"b":0,"c":0,"id":-1,"late":"é\\n\\"q\\""}',
  ];

  it('adds the predictions to the objects, and changes nothing of them', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.jsonl', `\uFEFF${lines.join('\n')}\n`);
      const { rows } = await stage.score('in.jsonl', 'out.jsonl');
      assert.equal(rows, 3);
      assert.deepEqual(text(stage, 'out.jsonl').trimEnd().split('\n'), [
        '{"id":12345678901234567890123,"a":1,"b":2.5,"c":3,"tags":["x",{"k":1}],"at":"2024-01-01T00:00:00Z","late":null,"y":15.5}',
        '{"id":7,"a":"NaN","b":null,"c":0,"tags":null,"at":null,"late":null,"y":null}',
        '{"id":-1,"a":1.0,"b":0,"c":0,"tags":null,"at":null,"late":"é\\n\\"q\\"","y":1.5}',
      ]);
    });
  });

  it('writes it as Parquet and CSV, compressed or not', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.jsonl.gz', gzipSync(`${lines.join('\n')}\n`));
      await stage.score('in.jsonl.gz', 'out.parquet');
      assert.deepEqual(await query(`SELECT id, b, tags, "at", late, y FROM '${stage.path('out.parquet')}'`), [
        {
          id: '12345678901234567890123',
          b: 2.5,
          tags: '["x",{"k":1}]',
          at: '2024-01-01T00:00:00Z',
          late: null,
          y: 15.5,
        },
        { id: '7', b: null, tags: null, at: null, late: null, y: Number.NaN },
        { id: '-1', b: 0, tags: null, at: null, late: 'é\n"q"', y: 1.5 },
      ]);
      await stage.score('in.jsonl.gz', 'out.csv.gz', { onlyPredictions: true });
      assert.equal(gunzipSync(readFileSync(stage.path('out.csv.gz'))).toString(), 'y\n15.5\nnan\n1.5\n');
    });
  });

  it('gives nothing for nothing', async () => {
    await onScoringStage(async (stage) => {
      stage.put('in.jsonl', '');
      assert.equal((await stage.score('in.jsonl', 'out.jsonl')).rows, 0);
      assert.equal(text(stage, 'out.jsonl'), '');
      assert.equal((await stage.score('in.jsonl', 'out.parquet')).rows, 0);
    });
  });

  it('takes a line of 20 MB', async () => {
    await onScoringStage(async (stage) => {
      const huge = 'x'.repeat(20_000_000);
      stage.put('in.jsonl', `{"a":1,"b":2,"c":3,"note":"${huge}"}\n{"a":4,"b":5,"c":6}\n`);
      assert.equal((await stage.score('in.jsonl', 'out.jsonl')).rows, 2);
      assert.ok(text(stage, 'out.jsonl').endsWith('{"a":4,"b":5,"c":6,"note":null,"y":32.5}\n'));
    });
  });

  it('says which line is none', async () => {
    await onScoringStage(async (stage) => {
      for (const bad of ['{"a":1,"b":', '[1,2,3]', '5']) {
        stage.put('in.jsonl', `{"a":1,"b":2,"c":3}\n${bad}\n`);
        await assert.rejects(stage.score('in.jsonl', 'out.jsonl'), errorOfKind('dataUnreadable'), bad);
      }
    });
  });
});

describe('Scoring a CSV file into another format', () => {
  it('finds types that hold every value of a column', async () => {
    await onScoringStage(async (stage) => {
      const early = Array.from(
        { length: 30_000 },
        () => '1,1,x,1,2024-01-01,2024-01-01 10:00:00,true,01,1,2,3',
      );
      const late = '9007199254740993,1.5,NA,late,2024-02-29,2024-01-01T10:00:00.5,False,02,1,2,3';
      const missing = ',,,,,,,,1,2,3';
      const header = 'id,number,text,mixed,day,at,flag,code,a,b,c';
      stage.put('in.csv', `${[header, ...early, late, missing].join('\n')}\n`);
      assert.equal((await stage.score('in.csv', 'out.parquet')).rows, 30_002);
      const types = await query(
        `SELECT string_agg(column_type, ' ') AS types FROM (DESCRIBE SELECT * FROM '${stage.path('out.parquet')}')`,
      );
      assert.deepEqual(types, [
        { types: 'BIGINT DOUBLE VARCHAR VARCHAR DATE TIMESTAMP BOOLEAN VARCHAR BIGINT BIGINT BIGINT FLOAT' },
      ]);
      const last = await query(
        `SELECT id::VARCHAR AS id, number, text, mixed, code, flag FROM read_parquet('${stage.path('out.parquet')}',
           file_row_number = true) WHERE file_row_number >= 30000`,
      );
      assert.deepEqual(last, [
        { id: '9007199254740993', number: 1.5, text: 'NA', mixed: 'late', code: '02', flag: false },
        { id: null, number: null, text: null, mixed: null, code: null, flag: null },
      ]);
    });
  });

  it('writes scores of classes as JSON', async () => {
    const model = { onnx: classifierModel([10, 20, 30]), columns: ['a', 'b'] };
    await onScoringStage(async (stage) => {
      stage.put('in.csv', 'a,b\n1,2\n');
      await stage.score('in.csv', 'out.ndjson');
      assert.deepEqual(JSON.parse(text(stage, 'out.ndjson')), {
        ...{ a: 1, b: 2, label: 20 },
        ...{ probability_10: 1, probability_20: 2, probability_30: -3 },
      });
    }, model);
  });
});
