import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { pythonFloat } from '../../../src/engine/interop/mlrunsFiles.ts';
import { parseMetricLine, readMetricLines } from '../../../src/worker/import/metricLines.ts';

describe('Metric lines of a file store', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-lines-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const read = (content: string, from = 0, ended = true) => {
    const file = join(folder, 'metric');
    writeFileSync(file, content);
    const lines = readMetricLines(file, from, false, ended);
    const found: (number | bigint | null)[] = [];
    let next = lines.next();
    for (; !next.done; next = lines.next()) found.push(next.value.line?.step ?? null);
    return { found, ...next.value };
  };

  it('have two, three or five fields, or more when the name of a dataset has spaces', () => {
    const fields = (line: string, ofModel = false) => {
      const parsed = parseMetricLine(Buffer.from(line).toString('latin1'), ofModel);
      return parsed && [parsed.step, parsed.value, parsed.runId, parsed.datasetName, parsed.datasetDigest];
    };
    assert.deepEqual(fields('1 2.5'), [0, 2.5, '', '', '']);
    assert.deepEqual(fields('1 2.5 -3'), [-3, 2.5, '', '', '']);
    assert.deepEqual(fields('1 2.5 3 wine abc'), [3, 2.5, '', 'wine', 'abc']);
    assert.deepEqual(fields('1 2.5 3 ünï wine abc'), [3, 2.5, '', 'ünï wine', 'abc']);
    assert.deepEqual(fields('1 2.5 3 run', true), [3, 2.5, 'run', '', '']);
    assert.deepEqual(fields('1 2.5 3 run wine abc', true), [3, 2.5, 'run', 'wine', 'abc']);
    for (const line of ['', '1', 'x 1 1', '1 x 1', '1 1 1.5', '1 1 1 wine', '1 0x1 1', '1 1e 1']) {
      assert.equal(fields(line), null, line);
    }
    assert.equal(fields('1 2.5 3', true), null);
  });

  it('hold every float and every 64-bit step', () => {
    fc.assert(
      fc.property(fc.double(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value, step) => {
        const line = parseMetricLine(`1 ${pythonFloat(value)} ${step}`, false);
        assert.ok(Object.is(line?.value, value));
        assert.equal(BigInt(line?.step ?? 0), step);
      }),
    );
    assert.equal(parseMetricLine(`1 1 ${2n ** 63n}`, false), null);
  });

  it('are read from where the last reading ended, whole lines only', () => {
    const first = read('1 1 1\n2 2 2\n3 3', 0, false);
    assert.deepEqual(first, { found: [1, 2], offset: 12, complete: false });
    assert.deepEqual(read('1 1 1\n2 2 2\n3 3 3\n', first.offset, false), {
      found: [3],
      offset: 18,
      complete: true,
    });
    assert.deepEqual(read('1 1 1\n2 2 2'), { found: [1, 2], offset: 11, complete: true });
    assert.deepEqual(read('1 1 1\n', 500), { found: [1], offset: 6, complete: true }, 'it was written anew');
  });

  it('are found across blocks, and a file without line ends is not taken into memory', () => {
    const count = 100_000;
    const lines = Array.from({ length: count }, (_, step) => `1 0.5 ${step}\n`).join('');
    assert.deepEqual(
      read(lines).found,
      Array.from({ length: count }, (_, step) => step),
    );
    assert.deepEqual(read(`${'x'.repeat(1_000_000)}\n1 1 7\n`).found, [null, 7]);
  });
});
