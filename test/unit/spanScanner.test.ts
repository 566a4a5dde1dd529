import assert from 'node:assert/strict';
import fc from 'fast-check';
import { createSpanScanner } from '../../src/engine/tracking/spanScanner.ts';

/** What a scanner finds in a file that comes in pieces of so many bytes. */
function scan(file: string, size: number): { readonly spans: readonly string[]; readonly outline: string } {
  const scanner = createSpanScanner();
  const bytes = Buffer.from(file);
  const spans: string[] = [];
  for (let start = 0; start < bytes.length; start += size) {
    spans.push(...scanner.take(bytes.subarray(start, start + size)));
  }
  return { spans, outline: scanner.outline() };
}

/** JSON in which a number with so many digits is the text that the scanner makes of it. */
function parseExactly(json: string) {
  return JSON.parse(json, (_key, value) =>
    Number.isInteger(value) && Math.abs(value) >= 1e15 && Math.abs(value) < 1e21 ? String(value) : value,
  );
}

describe('Taking a file of spans apart', () => {
  it('gives what its JSON holds, however it is cut into pieces', () => {
    const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue());
    const files = fc.record({
      before: fc.dictionary(
        fc.string().filter((key) => key !== 'spans' && key !== '__proto__'),
        fc.jsonValue(),
      ),
      spans: fc.array(fc.oneof(object, fc.jsonValue())),
      after: fc.jsonValue(),
    });
    fc.assert(
      fc.property(
        files,
        fc.integer({ min: 1, max: 40 }),
        fc.constantFrom(0, 1),
        ({ before, spans, after }, size, blanks) => {
          const file = { ...before, spans, after };
          const found = scan(JSON.stringify(file, null, blanks), size);
          const isSpan = (value: unknown) =>
            typeof value === 'object' && value !== null && !Array.isArray(value);
          const plain = parseExactly(JSON.stringify(file));
          assert.deepEqual(found.spans.map(parseExactly), plain.spans.filter(isSpan));
          let count = 0;
          const outlined = plain.spans.map((value: unknown) => (isSpan(value) ? { span: count++ } : value));
          assert.deepEqual(parseExactly(found.outline), { ...plain, spans: outlined });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('makes texts of numbers that JSON lacks, or that lose digits, and of nothing else', () => {
    const file = `{"spans": [{"a": 1795252042404823251, "b": -1795252042404823251, "c": [NaN,-Infinity, Infinity],
      "d": 0.12345678901234568, "e": 1234567890123456.5, "f": 1.2345678901234567e-30, "g": 123456789012345,
      "h": "NaN 1795252042404823251 \\" 1795252042404823251", "i": true}], "n": NaN, "m": 1795252042404823251}`;
    for (const size of [1, 2, 7, 1000]) {
      const { spans, outline } = scan(file, size);
      assert.deepEqual(JSON.parse(spans[0] ?? ''), {
        a: '1795252042404823251',
        b: '-1795252042404823251',
        c: ['NaN', '-Infinity', 'Infinity'],
        d: 0.12345678901234568,
        e: 1234567890123456.5,
        f: 1.2345678901234567e-30,
        g: 123456789012345,
        h: 'NaN 1795252042404823251 " 1795252042404823251',
        i: true,
      });
      assert.deepEqual(JSON.parse(outline), { spans: [{ span: 0 }], n: 'NaN', m: '1795252042404823251' });
    }
  });

  it('leaves alone what is not a span directly in the list of spans of the file', () => {
    for (const file of [
      '[{"spans": [{"a": 1}]}]',
      '{"spans": [[{"a": 1}], 3, "{}"]}',
      '{"spans": {"spans": [{"a": 1}]}}',
      '{"other": [{"spans": [{"a": 1}]}]}',
      '{"spansOf": [{"a": 1}]}',
      '["spans", {"spans": 1}]',
    ]) {
      const { spans, outline } = scan(file, 5);
      assert.deepEqual(spans, [], file);
      assert.deepEqual(JSON.parse(outline), JSON.parse(file));
    }
  });

  it('makes no whole file of a broken one', () => {
    const whole = '{"spans": [{"a": {"b": [1]}}, {"a": 2}]}';
    for (let end = 0; end < whole.length; end += 1) {
      const { outline } = scan(whole.slice(0, end), 4);
      assert.throws(() => JSON.parse(outline), whole.slice(0, end));
    }
    for (const file of [
      '{"spans": [{"a": [1}]}]}',
      '{"spans": [{]}',
      '{"spans": [{}]}}',
      '{"spans": [{}{}]}',
    ]) {
      const { spans, outline } = scan(file, 4);
      assert.throws(() => [outline, ...spans].map((text) => JSON.parse(text)), file);
    }
    const digits = '1'.repeat(5000);
    assert.equal(scan(`{"spans": [${digits}`, 7).outline, `{"spans": [${digits}`);
  });
});
