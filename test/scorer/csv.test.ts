import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readCsv } from '../../src/scorer/csv.ts';

describe('The reader of CSV', () => {
  it('reads back any table, quoted or not, with any line ends', () => {
    const field = fc.oneof(fc.string(), fc.stringMatching(/^[a-z",\r\n ]{0,6}$/));
    const table = fc
      .integer({ min: 1, max: 4 })
      .chain((width) => fc.array(fc.array(field, { minLength: width, maxLength: width }), { maxLength: 5 }));
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n', '\r'), fc.boolean(), (rows, lineEnd, last) => {
        const line = (fields: readonly string[]) =>
          fields
            .map((text) => (text === '' || /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text))
            .join(',');
        const text = rows.map(line).join(lineEnd) + (last ? lineEnd : '');
        assert.deepEqual(readCsv(text), rows);
      }),
      { numRuns: 1000 },
    );
  });

  it('leaves out a byte order mark and empty lines', () => {
    assert.deepEqual(readCsv('\uFEFFa,b\n\n1,\n'), [
      ['a', 'b'],
      ['1', ''],
    ]);
  });
});
