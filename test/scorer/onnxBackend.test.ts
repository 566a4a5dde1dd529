import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, fork } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../fixtures/onnxBackendRunner.ts';
import { pythonWithPeers } from '../python.ts';
import { removeFolder, temporaryFolder } from './scorerProcess.ts';

/** The version of the `onnx` package that the counts below are those of. */
const countedVersion = '1.23.2';

/** Why a model is not served, by what its sentence says. */
const reasons: readonly (readonly [reason: string, pattern: RegExp])[] = [
  ['an input type', /: its input ".*" is /],
  ['the types of all outputs', /: all that it gives is /],
  ['the version of the file format', /: it is written in version \d+ of the ONNX file format/],
  ['an opset', /: it needs opset \d+ of /],
  ['an operator', /: the runtime (?:has no implementation of|does not know) the operator /],
  ['an attribute', /: the runtime does not know the attribute ".*" of the operator /],
  ['a locale of this computer', /: it needs the locale "en_US.UTF-8", which this computer does not have/],
  ['a way to compute', /(?:is|are) not supported|is not defined for/],
];

/** How many models end how. Those that need a locale pass where the computer has it. */
const expectedCounts = {
  'passed, or a locale of this computer': 1492,
  'an input type': 186,
  'the types of all outputs': 34,
  'the version of the file format': 142,
  'an opset': 60,
  'an operator': 82,
  'an attribute': 11,
  'a way to compute': 5,
};

/** What the runtime for Python answers just the same: random numbers, the last digits, and its own faults. */
const deviations = [
  ...['', '_axis', '_inverse', '_rfft', '_irfft'].flatMap((kind) => [`dft${kind}`, `dft${kind}_opset19`]),
  ...['stft', 'stft_with_window', 'attention_4d_causal_fp16'],
  ...['', '_default', '_mask', '_default_mask'].map((kind) => `training_dropout${kind}`),
  'attention_4d_diff_heads_mask4d_padded_kv',
  'maxunpool_export_with_output_shape',
  'resize_downsample_scales_cubic_align_corners',
  'resize_downsample_scales_linear_align_corners',
].map((name) => `node/test_${name}`);

interface Case {
  readonly name: string;
  readonly outcome: Outcome;
}

describe('The test models of the onnx package', function () {
  this.timeout(600_000);
  let folder: string;
  let version: string;
  let cases: readonly Case[];
  let crashed: readonly string[];
  let runner: ChildProcess | null = null;

  /** Runs the cases from `from` on; resolves when all are done, or with the one that ended the process. */
  const runFrom = (from: number, names: readonly string[], outcomes: Case[]) =>
    new Promise<number | null>((resolve) => {
      let current = from;
      let done = from;
      const script = join(import.meta.dirname, '../fixtures/onnxBackendRunner.ts');
      const child = fork(script, [folder], { execArgv: [] });
      runner = child;
      child.on('message', (message: { readonly index: number; readonly outcome?: Outcome }) => {
        current = message.index;
        if (!message.outcome) return;
        outcomes.push({ name: names[current] ?? '', outcome: message.outcome });
        done = current + 1;
      });
      child.once('exit', () => resolve(done === names.length ? null : current));
      child.send(from);
    });

  before(async function () {
    const python = pythonWithPeers(this);
    folder = await temporaryFolder();
    const script = join(import.meta.dirname, '../fixtures/python/onnx_backend_models.py');
    execFileSync(python, ['-W', 'ignore', script, folder], { stdio: ['ignore', 'ignore', 'pipe'] });
    version = readFileSync(join(folder, 'version.txt'), 'utf8');
    const lines = readFileSync(join(folder, 'cases.jsonl'), 'utf8').trim().split('\n');
    const names = lines.map((line): string => JSON.parse(line).name);
    const outcomes: Case[] = [];
    const ended: string[] = [];
    for (let from: number | null = 0; from !== null; ) {
      const at: number | null = await runFrom(from, names, outcomes);
      if (at !== null) ended.push(names[at] ?? '');
      from = at === null || at + 1 === names.length ? null : at + 1;
    }
    cases = outcomes;
    crashed = ended;
  });
  after(async () => {
    runner?.kill('SIGKILL');
    if (folder) await removeFolder(folder);
  });

  it('never end the process', () => {
    assert.deepEqual(crashed, []);
    assert.ok(cases.length > 1000, `${cases.length} cases`);
  });

  it('are refused with a clear sentence where the runtime cannot', () => {
    for (const { name, outcome } of cases) {
      if (outcome.type !== 'unsupported') continue;
      assert.match(outcome.message, /not supported by this runtime: \S/i, name);
      assert.doesNotMatch(outcome.message, /onnxruntime::|\.(?:cc|h):\d|std::/, name);
      assert.ok(reasonOf(outcome), `${name}: ${outcome.message}`);
    }
  });

  it('give what they should where they are not refused', function () {
    if (version !== countedVersion) this.skip();
    const failed = cases.flatMap(({ name, outcome }) =>
      outcome.type === 'failed' && !deviations.includes(name) ? `${name}: ${outcome.message}` : [],
    );
    assert.deepEqual(failed, []);
    const deviating = cases.filter(({ outcome }) => outcome.type === 'failed').map(({ name }) => name);
    assert.deepEqual(deviating.sort(), [...deviations].sort());
  });

  it('end as they always did', function () {
    if (version !== countedVersion) this.skip();
    const counts = new Map<string, number>();
    for (const { outcome } of cases) {
      if (outcome.type === 'failed') continue;
      const reason = outcome.type === 'passed' ? null : reasonOf(outcome);
      const group =
        reason === null || reason === 'a locale of this computer'
          ? 'passed, or a locale of this computer'
          : reason;
      counts.set(group, (counts.get(group) ?? 0) + 1);
    }
    assert.deepEqual(Object.fromEntries(counts), expectedCounts);
  });
});

function reasonOf({ message }: Extract<Outcome, { type: 'unsupported' }>): string {
  return reasons.find(([, pattern]) => pattern.test(message))?.[0] ?? '';
}
