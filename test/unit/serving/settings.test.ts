import assert from 'node:assert/strict';
import fc from 'fast-check';
import { readSettings } from '../../../src/engine/serving/settings.ts';
import type { SettingsProblem } from '../../../src/protocol/endpointSettings.ts';
import { worded } from '../../../src/protocol/errorDetails.ts';

const settingsOf = (text: string) => {
  const found = readSettings(text);
  assert.ok('settings' in found, JSON.stringify(found));
  return found;
};
const problemsOf = (text: string): readonly SettingsProblem[] => {
  const found = readSettings(text);
  assert.ok('problems' in found, JSON.stringify(found));
  return found.problems;
};

describe('slipway.yaml', () => {
  it('has a default for everything', () => {
    for (const text of ['', '# nothing yet\n', 'endpoints: {}']) {
      assert.deepEqual(settingsOf(text).settings, { endpoints: {} });
    }
    const { wine } = settingsOf('endpoints: { wine: {} }').settings.endpoints;
    assert.deepEqual(wine?.stable, { stage: 'Production' });
    assert.deepEqual(
      wine?.rollout.steps,
      [5, 25, 50].map((share) => ({ share, hold: 60_000 })),
    );
    assert.deepEqual(
      wine?.rollout.checks.map(({ metric }) => metric),
      ['errorRate', 'latencyP99'],
    );
    assert.deepEqual([wine?.limits.body, wine?.limits.run, wine?.log.keep.size], [64e6, 60_000, 4e9]);
  });

  it('says of which endpoints the plan is written', () => {
    const { written } = settingsOf('endpoints: { wine: { rollout: { strategy: canary } }, beer: {} }');
    assert.deepEqual([...written], ['wine']);
  });

  it('reads everything that it may say', () => {
    const { wine } = settingsOf(`
endpoints:
  wine:
    model: red-wine
    stable: { alias: champion }
    candidate: { alias: challenger }
    follow: true
    rollout:
      strategy: abTest
      share: 30
      goal: quality
      atMost: 2h
      interval: 5s
      significance: 0.01
      promote: true
      checks:
        - { metric: errorRate, max: 0.02, failureLimit: 2 }
        - { metric: predictionDrift, max: 0.2, dryRun: true }
    sticky: { cookie: session }
    shadow: { of: { version: 7 }, share: 10 }
    models: [{ model: beer, of: { stage: Staging } }]
    port: 8080
    hosts: [Models.Example.com, 10.0.0.5, '[FD00::1]', localhost]
    grpc: auto
    runtime: { threads: 2, processes: 3, batchRows: 64 }
    limits: { body: 1.5MB, requests: 10, run: 500ms }
    log: { sample: 50, redact: [name], keep: { age: 7d, size: 500KB } }
`).settings.endpoints;
    assert.deepEqual([wine?.rollout.atMost, wine?.rollout.interval], [7_200_000, 5000]);
    assert.deepEqual(wine?.hosts, ['models.example.com', '10.0.0.5', '[fd00::1]', 'localhost']);
    assert.deepEqual([wine?.limits.body, wine?.log.keep], [1_500_000, { age: 604_800_000, size: 500_000 }]);
  });

  const cases: readonly (readonly [
    name: string,
    text: string,
    line: number,
    column: number,
    detail: RegExp,
  ])[] = [
    ['no YAML', 'endpoints:\n  wine: [1', 2, 11, /end with a \]/],
    [
      'looks that never end',
      'endpoints:\n  wine:\n    rollout: { interval: 0s }\n',
      3,
      26,
      /^endpoints\.wine\.rollout\.interval: expected at least 50ms, not "0s"$/,
    ],
    ['a name twice', 'endpoints:\n  wine: {}\n  wine: {}\n', 3, 3, /Map keys must be unique/],
    ['an unknown section', 'endpoint: {}\n', 1, 1, /^endpoint: there is no setting of this name here$/],
    [
      'an unknown setting',
      'endpoints:\n  wine:\n    port: 80\n    stabel: 3\n',
      4,
      5,
      /^endpoints\.wine\.stabel: there is no/,
    ],
    [
      'a wrong type',
      'endpoints:\n  wine:\n    port: "80"\n',
      3,
      11,
      /^endpoints\.wine\.port: expected number, received string$/,
    ],
    ...[
      '*.example.com',
      'https://a.example',
      'a.example:80',
      'a.example/proxy',
      'a..example',
      '.a',
      'a.',
      '',
    ].map(
      (host) =>
        [
          `the host "${host}"`,
          `endpoints:\n  wine:\n    hosts: [ok.example, "${host}"]\n`,
          3,
          25,
          /^endpoints\.wine\.hosts\[1\]: expected a host name such as models\.example\.com, without scheme, port and path, not "/,
        ] as const,
    ),
    [
      'too much',
      'endpoints:\n  wine:\n    rollout:\n      steps:\n        - share: 150\n',
      5,
      18,
      /^endpoints\.wine\.rollout\.steps\[0\]\.share: expected number to be <=100, not 150$/,
    ],
    [
      'a wrong choice',
      'endpoints:\n  wine:\n    stable: { stage: Prod }\n',
      3,
      13,
      /expected \{ stage: None \| Staging \| Production/,
    ],
    [
      'no duration',
      'endpoints:\n  wine:\n    limits: { run: 1 minute }\n',
      3,
      20,
      /expected a duration such as .*, not "1 minute"$/,
    ],
    [
      'a limit that no timer can wait for',
      'endpoints:\n  wine:\n    limits: { load: 30d }\n',
      3,
      21,
      /expected at least 1ms, and no more than 24d/,
    ],
    [
      'no word of the list',
      'endpoints:\n  wine:\n    rollout: { strategy: blue }\n',
      3,
      26,
      /expected one of "canary"/,
    ],
    [
      'nothing where something is due',
      'endpoints:\n  wine:\n',
      2,
      8,
      /endpoints\.wine: expected object, received null/,
    ],
    [
      'something missing',
      'endpoints:\n  wine:\n    shadow: { share: 5 }\n',
      3,
      13,
      /endpoints\.wine\.shadow\.of/,
    ],
    [
      'a bound that the check has not',
      'endpoints:\n  wine:\n    rollout:\n      checks: [{ metric: errorRate, min: 1 }]\n',
      4,
      42,
      /errorRate takes max, maxRatio, not min/,
    ],
    [
      'a check without its bound',
      'endpoints:\n  wine:\n    rollout:\n      checks:\n        - metric: latencyP99\n',
      5,
      11,
      /latencyP99 needs max or maxRatio/,
    ],
    [
      'agreement without a shadow',
      'endpoints:\n  wine:\n    rollout:\n      checks: [{ metric: agreement, min: 1 }]\n',
      4,
      26,
      /shadow only/,
    ],
    ['an alias of nothing', 'endpoints:\n  wine: *red\n', 1, 1, /red/],
    ['a list', '- endpoints\n', 1, 1, /expected object, received array/],
  ];
  for (const [name, text, line, column, detail] of cases) {
    it(`refuses ${name}, and says where and what was expected`, () => {
      const [problem] = problemsOf(text);
      assert.match(String(worded(problem?.detail ?? '')), detail);
      assert.deepEqual([problem?.line, problem?.column], [line, column]);
    });
  }

  it('tells every problem, not the first one alone', () => {
    const text = 'endpoints:\n  wine: { port: 0, follow: 3 }\n  beer: { color: red }\n';
    assert.deepEqual(
      problemsOf(text).map(({ line }) => line),
      [2, 2, 3],
    );
  });

  it('is not drowned by aliases', () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `l${level}: &l${level} [${`*l${level - 1},`.repeat(9)}]`,
    );
    const text = `a: &l0 [x]\n${levels.slice(1).join('\n')}\n`;
    assert.match(String(problemsOf(text)[0]?.detail), /alias/i);
  });

  it('answers any text with settings or a place in it', () => {
    const line = fc.constantFrom(
      'endpoints:',
      '  wine:',
      '    port: 8',
      '  - x',
      ': :',
      '\t',
      '&a *a',
      '"',
      '? {',
      '---',
      'a: !!x 1',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(line).map((lines) => lines.join('\n')),
        ),
        (text) => {
          const found = readSettings(text);
          if ('settings' in found) return;
          const [{ line: at, column }] = found.problems;
          assert.ok(
            at >= 1 && at <= text.split(/\r\n|\n|\r/).length + 1 && column >= 1,
            JSON.stringify([at, column]),
          );
        },
      ),
      { numRuns: 500 },
    );
  });
});
