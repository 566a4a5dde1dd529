import assert from 'node:assert/strict';
import { replayDocument } from '../../../src/extension/serving/replayDocument.ts';
import { requestsDocument } from '../../../src/extension/serving/requestsDocument.ts';
import { createFormats } from '../../../src/extension/views/formats.ts';
import type { LoggedRequestEntry, ReplayReport } from '../../../src/protocol/requests.ts';

const l10n = {
  t: (message: string, ...values: (string | number)[]) =>
    message.replaceAll(/\{(\d)\}/g, (_, index) => String(values[Number(index)])),
};
const texts = { l10n, formats: createFormats(l10n, 'en') };

const answered: LoggedRequestEntry = {
  id: 7,
  requestId: 'a-1',
  receivedAt: Date.UTC(2026, 2, 1),
  model: 'wine',
  version: 3,
  variant: 'stable',
  rowCount: 2,
  status: 200,
  latencyMilliseconds: 1.84,
  inputs: '{"a|b":[1,2]}',
  outputs: '{"y":["`x`","*"]}',
};
const refused: LoggedRequestEntry = {
  ...answered,
  requestId: 'bad',
  version: null,
  model: null,
  rowCount: 0,
  status: 400,
  inputs: null,
  outputs: null,
};
/** The cells of each row of a table's body. */
const cells = (text: string) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'))
    .slice(1)
    .map((line) => line.slice(2, -2).split(' | '));

describe('the requests of an endpoint as Markdown', () => {
  const show = (requests: readonly LoggedRequestEntry[], more = false) =>
    requestsDocument('wine_*', requests, more, texts);

  it('are rows in the order given, the failed ones marked', () => {
    const text = show([refused, answered]);
    assert.match(
      text,
      /^# Requests of "wine\\_\\\*"\n\n2 requests, newest first, 1 failed\\\.\n\n\| Received/,
    );
    const [bad = [], good = []] = cells(text);
    assert.deepEqual(bad.slice(1), ['**❌ 400**', '–', '–', '–', '`bad`', '0', escapedLatency]);
    assert.deepEqual(good.slice(1), [
      '200',
      'v3 · stable',
      '`{"a\\|b": [1, 2]}`',
      '`` {"y": ["`x`", "*"]} ``',
      '`a-1`',
      '2',
      escapedLatency,
    ]);
  });

  it('of one row show values without lists, and no columns that say the same of all', () => {
    const one = {
      ...answered,
      rowCount: 1,
      inputs: '{"origin":["A,T"],"hour":[9.03],"a|b":[-6],"id":[9007199254740993],"x":[[1,2]]}',
      outputs: '{"label":[0],"probability":[{"0":0.5,"1":0.5}]}',
    };
    const text = show([one]);
    assert.match(text, /\| Received \| Version \| Inputs \| Outputs \| Request ID \| Latency \|/);
    assert.deepEqual(cells(text)[0]?.slice(1), [
      'v3 · stable',
      '`origin: "A,T", hour: 9.03, "a\\|b": -6, id: 9007199254740993, x: [1, 2]`',
      '`label: 0, probability: {"0": 0.5, "1": 0.5}`',
      '`a-1`',
      escapedLatency,
    ]);
    for (const inputs of ['{"x":[1,2]}', '{"x":[]}', '{"x":[1],"y":[2', '{}', '{"x":1}', '[1]']) {
      const [row = []] = cells(show([{ ...one, inputs }]));
      assert.equal(row[2], `\`${inputs.replaceAll(',', ', ').replaceAll(':', ': ')}\``);
    }
  });

  it('are said to be none, or only the latest', () => {
    assert.match(show([]), /logged no requests yet\\\.$/);
    assert.match(show([answered], true), /1 request, 0 failed\\\. There are older ones: export/);
  });

  it('show only the beginning of what is long', () => {
    const [row = []] = cells(show([{ ...answered, inputs: `{"x":["${'x'.repeat(4000)}"]}` }]));
    assert.equal(row[2]?.length, 163);
    assert.match(row[2] ?? '', /…`$/);
  });
});

const escapedLatency = '1\\.84 ms';

describe('a replay as Markdown', () => {
  const report: ReplayReport = {
    model: 'wine',
    version: 4,
    loggedVersions: [2, 3],
    requests: 1200,
    rows: 2400,
    equalRows: 2399,
    outputs: [
      { name: 'y', equalRows: 2399, meanAbsoluteDifference: 0.001, largestAbsoluteDifference: 2.5 },
      { name: 'label', equalRows: 2400, meanAbsoluteDifference: null, largestAbsoluteDifference: null },
    ],
    outputsNotCompared: ['secret'],
    failedRequests: 12,
    failures: [{ requestId: 'q', reason: 'The column "a|b"\nis missing.' }],
    examples: [
      { requestId: 'a-1', receivedAt: 5, row: 0, inputs: '{"x":1}', before: '{"y":1}', after: '{"y":3.5}' },
    ],
  };
  const show = (some: Partial<ReplayReport> = {}) => replayDocument('front', { ...report, ...some }, texts);

  it('tells how many rows agree, by output, what failed and what differs most', () => {
    const text = show();
    assert.match(text, /^# "wine" v4 on the requests of "front"\n/);
    assert.match(text, /1,200 requests that v2, v3 answered were asked of version 4 again\\\./);
    assert.match(text, /2,399 of 2,400 rows agree \\\(99\\\.9%\\\)/);
    assert.match(text, /\| `y` \| 1 \| 0\\\.001 \| 2\\\.5 \|\n\| `label` \| 0 \| – \| – \|/);
    assert.match(text, /redacted: `secret`/);
    assert.match(text, /Version 4 could not answer 12 requests\\\. The first of them:/);
    assert.match(text, /\| `q` \| The column "a\\\|b" is missing\\\. \|/);
    assert.match(text, /\| `\{"x": 1\}` \| `\{"y": 1\}` \| `\{"y": 3\.5\}` \| .* \| `a-1` \| 1 \|/);
  });

  it('is short when all agree', () => {
    const text = show({
      equalRows: 2400,
      outputsNotCompared: [],
      failedRequests: 0,
      failures: [],
      examples: [],
    });
    assert.match(text, /All 2,400 rows agree\\\./);
    assert.doesNotMatch(text, /##|Not compared/);
  });

  it('does not say that all agree when there was nothing to compare', () => {
    const text = show({ requests: 1, rows: 0, equalRows: 0, outputs: [], failedRequests: 1, failures: [] });
    assert.match(text, /1 request that v2, v3 answered was asked .* There is no row to compare\\\./);
    assert.match(
      text,
      /Version 4 could not answer 1 request\\\. |Version 4 could not answer 1 request\\\.\n/,
    );
    assert.doesNotMatch(text, /agree/);
  });
});
