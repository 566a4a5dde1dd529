import assert from 'node:assert/strict';
import fc from 'fast-check';
import { type ElementType, identityModel } from '../fixtures/onnxFile.ts';
import { type RunningScorer, removeFolder, startScorerProcess, temporaryFolder } from './scorerProcess.ts';

const infer = '/v2/models/wine/infer';

describe('The elements of tensors', () => {
  let folder: string;
  let scorer: RunningScorer;
  const datatypes: Readonly<Record<string, ElementType>> = {
    BOOL: 'bool',
    INT8: 'int8',
    INT16: 'int16',
    INT32: 'int32',
    INT64: 'int64',
    UINT8: 'uint8',
    UINT16: 'uint16',
    UINT32: 'uint32',
    UINT64: 'uint64',
    FP16: 'float16',
    FP32: 'float',
    FP64: 'double',
    BYTES: 'string',
  };
  before(async () => {
    folder = await temporaryFolder();
    const inputs = Object.entries(datatypes).map(([name, element]) => ({ name, element, shape: ['rows'] }));
    scorer = await startScorerProcess(folder, identityModel(inputs));
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  /** One value of one datatype; harmless ones for all the other inputs. */
  const body = (datatype: string, value: string) => {
    const inputs = Object.keys(datatypes).map((name) => {
      const harmless = name === 'BOOL' ? 'false' : name === 'BYTES' ? '""' : '0';
      return `{"name":"${name}","datatype":"${name}","shape":[1],"data":[${name === datatype ? value : harmless}]}`;
    });
    return `{"inputs":[${inputs.join(',')}],"outputs":[{"name":"${datatype}_out"}]}`;
  };
  const roundTrip = async (datatype: string, value: string) => {
    const { status, text } = await scorer.ask(infer, { body: body(datatype, value) });
    return status === 200 ? /"data":\[(.*)\]\}\]\}$/s.exec(text)?.[1] : `${status} ${text}`;
  };

  const exact: readonly [string, readonly string[]][] = [
    ['BOOL', ['true', 'false']],
    ['INT8', ['-128', '127']],
    ['INT16', ['-32768', '32767']],
    ['INT32', ['-2147483648', '2147483647']],
    ['INT64', ['-9007199254740991', '9007199254740991']],
    ['UINT8', ['0', '255']],
    ['UINT16', ['65535']],
    ['UINT32', ['4294967295']],
    ['UINT64', ['9007199254740991']],
    ['FP16', ['0.5', '-65504', 'null', '"Infinity"', '"-Infinity"']],
    ['FP32', ['0.5', '16777216', 'null', '"Infinity"', '"-Infinity"']],
    ['FP64', ['0.1', '1e+300', 'null', '"Infinity"', '"-Infinity"']],
    ['BYTES', ['""', '"São Paulo 🍷"', '"a\\"b\\\\c\\n"']],
  ];
  for (const [datatype, values] of exact) {
    it(`${datatype} comes back as it was sent: ${values.join(' ')}`, async () => {
      for (const value of values) assert.equal(await roundTrip(datatype, value), value);
    });
  }

  it('64-bit integers keep all digits when they are sent as strings', async () => {
    for (const digits of ['9223372036854775807', '-9223372036854775808', '9007199254740993']) {
      assert.equal(await roundTrip('INT64', `"${digits}"`), digits);
    }
    assert.equal(await roundTrip('UINT64', '"18446744073709551615"'), '18446744073709551615');
  });

  it('any string without NUL and any finite number come back', async function () {
    this.timeout(30_000);
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0')),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
        async (text, number) => {
          assert.equal(JSON.parse(String(await roundTrip('BYTES', JSON.stringify(text)))), text);
          assert.equal(JSON.parse(String(await roundTrip('FP64', JSON.stringify(number)))) + 0, number + 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  const refused: readonly [string, readonly string[]][] = [
    ['BOOL', ['1', '"true"', 'null']],
    ['INT8', ['128', '-129', '1.5', 'null', '"1"', 'true']],
    ['UINT8', ['-1', '256']],
    ['INT32', ['2147483648', '[]']],
    ['INT64', ['9007199254740993', '"9223372036854775808"', '1.5', 'null', '"1.0"', '""']],
    ['UINT64', ['-1', '"-1"', '"18446744073709551616"']],
    ['FP32', ['"1"', 'true', '{}']],
    ['BYTES', ['1', 'null', '"a\\u0000b"']],
  ];
  for (const [datatype, values] of refused) {
    it(`${datatype} is not ${values.join(' nor ')}`, async () => {
      for (const value of values) {
        assert.match(
          String(await roundTrip(datatype, value)),
          new RegExp(`^400 .*\\b${datatype}\\b.*expected`),
        );
      }
    });
  }

  it('inputs with different numbers of rows are refused by name', async () => {
    const request = JSON.parse(body('INT8', '1'));
    request.inputs[3] = { ...request.inputs[3], shape: [2], data: [1, 2] };
    const { status, json } = await scorer.ask(infer, { body: request });
    assert.equal(status, 400);
    assert.match(json.error, /Input "INT32" has 2 rows, but input "BOOL" has 1/);
  });
});
