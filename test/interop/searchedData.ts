export type Pairs = readonly (readonly [string, string])[];

const nan = Number.NaN;
const infinity = Number.POSITIVE_INFINITY;
const run = (
  label: string,
  name: string,
  metrics: readonly (readonly [string, number])[],
  params: Pairs,
  tags: Pairs,
  datasets: readonly (readonly [string, string, string])[] = [],
  status = 'RUNNING',
) => ({ label, name, metrics, params, tags, datasets, status });

/** What both stores hold. The times of runs are far apart, and other times follow one another, so no order is left to chance. */
export const runs = [
  run(
    'a',
    'first',
    [
      ['loss', 0.5],
      ['score', 1],
    ],
    [['rate', '1']],
    [['team', 'red']],
    [['wine', 'd1', 'train']],
  ),
  run(
    'b',
    'First',
    [
      ['loss', nan],
      ['score', -1],
    ],
    [['rate', '10']],
    [['team', 'Red']],
    [['iris', 'd2', '']],
    'FINISHED',
  ),
  run('c', 'R%', [['loss', infinity]], [['rate', "it's"]], [['odd key', 'red']], [], 'FAILED'),
  run(
    'd',
    "it's",
    [
      ['loss', -infinity],
      ['odd key', 3],
    ],
    [['odd key', 'x\\y']],
    [['team', 'é']],
  ),
  run(
    'e',
    'true',
    [['score', nan]],
    [
      ['rate', 'true'],
      ['team', '1'],
    ],
    [['rate', 'a "b"']],
    [
      ['wine', 'd1', ''],
      ['iris', 'd2', 'test'],
    ],
  ),
  run(
    'f',
    'x\\y',
    [
      ['loss', 3],
      ['score', 3],
    ],
    [['rate', 'R%']],
    [['team', 'WINE']],
    [['WINE', 'd3', 'train']],
    'FINISHED',
  ),
  run(
    'g',
    'é',
    [
      ['loss', 3],
      ['score', 0],
    ],
    [['rate', '1']],
    [],
    [],
    'KILLED',
  ),
  run(
    'h',
    'red',
    [
      ['loss', 100],
      ['odd key', -1],
    ],
    [['rate', 'red']],
    [
      ['team', 'red'],
      ['odd key', ''],
    ],
  ),
  run('i', 'first', [], [], []),
  run(
    'j',
    '10',
    [
      ['loss', 2000],
      ['score', -0.25],
    ],
    [['rate', 'tread']],
    [['team', 'fred']],
    [],
    'FINISHED',
  ),
].map((each, index) => ({
  ...each,
  start: 1000 + 1000 * index,
  end: each.status === 'RUNNING' ? null : 100_000 - 100 * index,
}));

export const experiments: readonly { readonly name: string; readonly tags: Pairs }[] = [
  { name: 'first', tags: [['team', 'red']] },
  {
    name: 'Red',
    tags: [
      ['team', 'Red'],
      ['odd key', '1'],
    ],
  },
  { name: 'a "b"', tags: [['odd key', 'é']] },
  { name: "it's", tags: [] },
  { name: '10', tags: [['team', 'fred']] },
];

export const loggedModels = [
  {
    label: 'first',
    type: 'tree',
    params: [['rate', '1']],
    tags: [['team', 'red']],
    metrics: [
      ['acc', 0.5, 1, 'wine', 'd1'],
      ['acc', 0.9, 2, 'iris', 'd2'],
    ],
  },
  {
    label: 'Red',
    type: 'Red',
    params: [
      ['rate', '10'],
      ['odd key', 'é'],
    ],
    tags: [['team', 'Red']],
    metrics: [['acc', -1, 1, '', '']],
  },
  {
    label: 'true',
    type: 'forest',
    params: [],
    tags: [['odd key', '1']],
    metrics: [
      ['acc', 0.7, 5, 'wine', 'd1'],
      ['acc', 0.1, 3, 'wine', 'd1'],
    ],
  },
  { label: 'WINE', type: '', params: [['rate', 'true']], tags: [], metrics: [] },
] as const;

export const registered = [
  {
    name: 'first',
    tags: [['team', 'red']],
    versions: [
      { source: 's3://b/first', tags: [['team', 'red']] },
      { source: 's3://b/1', tags: [] },
    ],
  },
  {
    name: 'Red',
    tags: [
      ['team', 'Red'],
      ['odd key', ''],
    ],
    versions: [{ source: 's3://b/true', tags: [['odd key', '1']] }],
  },
  { name: 'red', tags: [], versions: [{ source: 's3://b/red', tags: [['team', 'fred']] }] },
  {
    name: 'asked',
    tags: [
      ['mlflow.prompt.is_prompt', 'true'],
      ['team', 'red'],
    ],
    versions: [],
  },
  { name: 'true', tags: [['mlflow.prompt.is_prompt', 'false']], versions: [] },
] as const;
