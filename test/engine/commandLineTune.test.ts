import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linearModel } from '../fixtures/onnxFile.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { runToEnd } from './startedProcess.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

describe('slipway tune', function () {
  this.timeout(400_000);
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
    writeFileSync(join(folder, 'wine.onnx'), linearModel());
  });
  after(async () => {
    await endLeftProcesses();
    await removeFolder(folder);
  });

  it('measures every way to run a model, chooses one, says why, and writes it down', async () => {
    const { code, stdout, stderr } = await runToEnd([
      ...[cli, 'tune', join(folder, 'wine.onnx')],
      ...['--seconds', '1', '--rows', '2', '--write', '--json', '--workspace', folder],
    ]);
    assert.equal(code, 0, stderr);
    interface Report {
      readonly measurements: readonly Readonly<Record<string, number | null>>[];
      readonly choice: Readonly<Record<string, number>>;
      readonly reasons: readonly string[];
    }
    const { measurements, choice, reasons }: Report = JSON.parse(stdout);
    assert.deepEqual([...new Set(measurements.map(({ batchRows }) => batchRows))], [1, 8, 64, 1024]);
    for (const { rate, p50, p99, processorMicroseconds, residentBytes } of measurements) {
      assert.ok(Number(rate) > 0 && Number(p50) > 0 && Number(p99) >= Number(p50));
      if (process.platform === 'linux') {
        assert.ok(Number(processorMicroseconds) > 0 && Number(residentBytes) > 1e6);
      }
    }
    assert.ok(
      measurements.some((measurement) =>
        Object.entries(choice).every(([name, value]) => measurement[name] === value),
      ),
    );
    assert.ok(reasons.length >= 3);
    assert.ok(
      measurements.some(({ spread }) => Number(spread) > 1),
      'in two rounds, whose figures differ',
    );
    assert.ok(!reasons.some((reason) => reason.includes('measured once')), reasons.join(' '));
    assert.match(reasons[0] ?? '', /^Requests .* joined/);
    const written = readFileSync(join(folder, 'slipway.yaml'), 'utf8');
    assert.match(
      written,
      new RegExp(`^endpoints:\n {2}wine:\n {4}runtime:\n {6}threads: ${choice.threads}\n`),
    );
  });

  it('says what it does not understand, with exit code 2', async () => {
    const wrong = [
      [],
      ['wine', '--seconds', '0'],
      ['wine', '--rows', 'many'],
      ['wine', '--quick', '--seconds', '2'],
    ];
    for (const args of wrong) {
      assert.equal((await runToEnd([cli, 'tune', ...args])).code, 2, args.join(' '));
    }
  });
});
