import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readRows, separatorOf } from '../../../src/worker/import/csv/rows.ts';
import { durationOf, timeOf } from '../../../src/worker/import/csv/times.ts';
import { type ByteSource, memorySource } from '../../../src/worker/import/tracker/byteSource.ts';
import { numberOf } from '../../../src/worker/import/tracker/numbers.ts';

describe('Reading CSV', () => {
  it('gives back what was written, whatever is in the fields', () => {
    const field = fc.string({
      unit: fc.constantFrom('a', 'é', '"', ',', '\n', '\r\n', ' ', '😀'),
      maxLength: 8,
    });
    const table = fc.array(fc.array(field, { minLength: 2, maxLength: 4 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(table, fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, lineEnd, isEnded) => {
        const text =
          rows.map((fields) => fields.map(quoted).join(',')).join(lineEnd) + (isEnded ? lineEnd : '');
        const read = [...readRows(bytesOf(text), ',')];
        assert.deepEqual(
          read.map(({ fields }) => fields),
          rows,
        );
      }),
    );
  });

  it('gives the first records of a file that is being written and cut off anywhere', () => {
    const text = 'a,b\n1,"x\n""y"""\n2,z\n';
    const all = [...readRows(bytesOf(text), ',')].map(({ fields }) => fields);
    for (let length = 0; length <= text.length; length++) {
      const read = [...readRows(bytesOf(text.slice(0, length)), ',', true)].map(({ fields }) => fields);
      assert.deepEqual(read, all.slice(0, read.length));
    }
  });

  it('says at which line a record begins, and leaves out empty lines and a byte order mark', () => {
    const read = [...readRows(bytesOf('\uFEFFa,b\n\n"1\n2",3\n4,5\n'), ',')];
    assert.deepEqual(
      read.map(({ line, fields }) => [line, ...fields]),
      [
        [1, 'a', 'b'],
        [3, '1\n2', '3'],
        [5, '4', '5'],
      ],
    );
  });

  it('says where a quote is opened that is never closed, and gives what stands before it', () => {
    const rows = readRows(bytesOf('a,b\n1,"2\n3\n'), ',');
    assert.deepEqual(rows.next().value, { line: 1, fields: ['a', 'b'] });
    assert.deepEqual(rows.next(), { done: true, value: 2 });
  });

  it('finds the separator', () => {
    assert.equal(separatorOf(bytesOf('a;b,c;d\n')), ';');
    assert.equal(separatorOf(bytesOf('a\tb\n')), '\t');
    assert.equal(separatorOf(bytesOf('"a;b;c",d\n')), ',');
  });

  it('reads times with a zone, without one, and as numbers', () => {
    assert.equal(timeOf('2026-11-21 09:02:05.682+00:00'), 1795251725682);
    assert.equal(timeOf('2025-11-13T09:48:11.000Z'), Date.UTC(2025, 10, 13, 9, 48, 11));
    assert.equal(timeOf('2026-11-21T10:02:05+0100'), Date.UTC(2026, 10, 21, 9, 2, 5));
    assert.equal(timeOf('2026-11-21 09:02:05'), new Date(2026, 10, 21, 9, 2, 5).getTime());
    assert.equal(timeOf('2026-11-21'), new Date(2026, 10, 21).getTime());
    assert.equal(timeOf('1795251718.125'), 1795251718125);
    assert.equal(timeOf('1795251718125'), 1795251718125);
    assert.equal(timeOf('12'), null);
    assert.equal(timeOf('yesterday'), null);
  });

  it('reads durations as MLflow shows them, and seconds', () => {
    const pairs = [
      ['431ms', 431],
      ['3.2s', 3200],
      ['1.5min', 90_000],
      ['2.0h', 7_200_000],
      ['1.0d', 86_400_000],
      ['9910', 9_910_000],
      ['long', null],
    ] as const;
    for (const [text, milliseconds] of pairs) assert.equal(durationOf(text), milliseconds);
  });

  it('reads numbers as Python and JavaScript write them', () => {
    assert.equal(numberOf(' 1e-05 '), 1e-5);
    assert.equal(numberOf('-inf'), Number.NEGATIVE_INFINITY);
    assert.equal(numberOf('Infinity'), Number.POSITIVE_INFINITY);
    assert.ok(Number.isNaN(numberOf('nan')));
    for (const text of ['', '0x10', '1,5', '1_000', 'one', '--1']) assert.equal(numberOf(text), null);
  });
});

function bytesOf(text: string): ByteSource {
  return memorySource(new TextEncoder().encode(text));
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) || field === '' ? `"${field.replaceAll('"', '""')}"` : field;
}
