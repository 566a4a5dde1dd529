import assert from 'node:assert/strict';
import { tuningDocument } from '../../../src/extension/serving/tuningDocument.ts';
import { createFormats } from '../../../src/extension/views/formats.ts';
import { phrase, type Saying, say } from '../../../src/protocol/servingSentences.ts';
import type { TuningReport } from '../../../src/protocol/tuning.ts';
import { portuguese } from '../serving/portuguese.ts';

const l10n = {
  t: (message: string, ...values: (string | number)[]) =>
    message.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)])),
};
const texts = { l10n, formats: createFormats(l10n, 'en'), said: (reason: Saying) => say(reason) };

const measurement = {
  threads: 1,
  processes: 1,
  batchRows: 1024,
  rate: 4123.4,
  spread: 1,
  p50: 0.412,
  p99: 1.84,
  processorMicroseconds: 120.4,
  residentBytes: 98e6,
};
const report: TuningReport = {
  model: 'wine',
  version: 3,
  rows: 8,
  machine: { processor: 'A|B', cores: 2 },
  measurements: [
    measurement,
    { ...measurement, processes: 2, rate: 7900, processorMicroseconds: null, residentBytes: null },
  ],
  choice: { threads: 1, processes: 2, batchRows: 1024 },
  reasons: [
    [
      phrase('moreProcesses', {
        processes: 2,
        count: 1,
        compared: phrase('timesAsManyRequests', { times: { figure: 1.9 } }),
      }),
      phrase('memoryBeside', { chosen: { figure: 200 }, other: { figure: 100 } }),
    ],
  ],
};

describe('a tuning as Markdown', () => {
  it('says what was chosen and why, what to write, and all that was measured with the chosen one marked', () => {
    const text = tuningDocument('front', report, 'endpoints:\n  front: {}\n', texts);
    assert.match(text, /^# How "front" runs best on this machine\n/);
    assert.match(text, /Version 3 of "wine" was measured with 8 rows .* 2 cores \\\(A\\\|B\\\)/);
    assert.match(text, /\*\*1 thread, 2 processes, batches of up to 1,024 rows\*\*/);
    assert.match(
      text,
      /\n- 2 processes share the port: 1\\\.9 times as many requests as 1 process\\?\. Memory: 200 MB instead of 100 MB/,
    );
    assert.match(text, /```yaml\nendpoints:\n {2}front: \{\}\n```/);
    assert.match(
      text,
      /\| {2}\| 1 \| 1 \| 1,024 \| 4,123 \| 0\\\.412 ms \| 1\\\.84 ms \| 120 µs \| 98 MB \|/,
    );
    assert.match(text, /\| \*\*chosen\*\* \| \*\*1\*\* \| \*\*2\*\* \|.* \*\*–\*\* \| \*\*–\*\* \|/);
  });

  it('gives the reasons in the person’s language', () => {
    const said = (reason: Saying) => say(reason, portuguese);
    assert.match(
      tuningDocument('front', report, '', { ...texts, said }),
      /\n- 2 processos dividem a porta: 1,9 vezes o número de requisições em comparação com 1 processo/,
    );
  });
});
