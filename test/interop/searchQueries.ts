/** Searches that look random, most of them right and some wrong in the ways that people get them wrong. */
import fc from 'fast-check';

export type SearchKind = 'runs' | 'experiments' | 'loggedModels' | 'registered' | 'versions';

export interface AskedSearch {
  readonly kind: SearchKind;
  readonly filter: string;
  /** Texts; of logged models pairs of field and direction. */
  readonly order: readonly (string | readonly [string, boolean])[];
  readonly datasets: readonly string[];
}

const numbers = [
  '0',
  '0.5',
  '-1',
  '3',
  '1e2',
  '.5',
  '1.',
  '-2.5e-1',
  '1e400',
  '-1.7976931348623157e308',
  '2000',
];
const texts = [
  'red',
  'Red',
  'R%',
  '%e%',
  '_ed',
  "it's",
  'a "b"',
  'x\\y',
  'é',
  '',
  '1',
  '10',
  'first',
  'WINE',
  'true',
];
const numericOperators = ['=', '!=', '>', '>=', '<', '<='];
const textOperators = ['=', '!=', 'LIKE', 'ILIKE'];
const wrongOperators = ['<>', '==', '~', 'RLIKE'];

const pick = (...values: readonly string[]) => fc.constantFrom(...values);
/** Mostly the first, at times the second. */
const mostly = <Value>(usual: fc.Arbitrary<Value>, rare: fc.Arbitrary<Value>) =>
  fc.oneof({ weight: 12, arbitrary: usual }, { weight: 1, arbitrary: rare });
const anyCase = (word: fc.Arbitrary<string>) =>
  fc.tuple(word, fc.boolean()).map(([text, lower]) => (lower ? text.toLowerCase() : text));

const number = pick(...numbers);
const quoted = pick(...texts).chain((text) => {
  const quotes = [`'${text}'`, `"${text}"`].filter((_, index) => !text.includes(index === 0 ? "'" : '"'));
  return fc.constantFrom(...quotes);
});
const singleQuoted = pick(...texts.filter((text) => !/['"]/.test(text))).map((text) => `'${text}'`);
const listOf = (item: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(item, { minLength: 1, maxLength: 3 }), pick(', ', ',', ' , '))
    .map(([items, separator]) => `(${items.join(separator)})`);
// A list is read with Python's rules for texts, in which a backslash means something.
const listText = pick(...texts.filter((text) => !/['"\\]/.test(text))).map((text) => `'${text}'`);

const quoteKey = (key: string, quotes: readonly string[]) =>
  fc.constantFrom(...(/^\w+$/.test(key) ? ['', ...quotes] : quotes)).map((quote) => quote + key + quote);
const named = (
  entities: readonly string[],
  keys: readonly string[],
  quotes: readonly string[] = ['`', '"'],
) =>
  fc
    .tuple(
      pick(...entities),
      pick(...keys).chain((key) => quoteKey(key, quotes)),
    )
    .map(([entity, key]) => (entity === '' ? key : `${entity}.${key}`));

const comparison = (
  name: fc.Arbitrary<string>,
  operator: fc.Arbitrary<string>,
  value: fc.Arbitrary<string>,
): fc.Arbitrary<string> =>
  fc.tuple(name, operator, value, fc.boolean()).map(([left, between, right, tight]) => {
    const space = tight && /^\W+$/.test(between) ? '' : ' ';
    return left + space + between + space + right;
  });
const nullness = (name: fc.Arbitrary<string>) =>
  fc.tuple(name, anyCase(pick('IS NULL', 'IS NOT NULL'))).map((parts) => parts.join(' '));

const numeric = (name: fc.Arbitrary<string>) =>
  comparison(
    name,
    mostly(pick(...numericOperators), pick('LIKE', ...wrongOperators)),
    mostly(number, pick("'1'", 'nan', 'inf', 'abc', '"x"', '+1', '1_0')),
  );
const textual = (name: fc.Arbitrary<string>, value = quoted, operators = anyCase(pick(...textOperators))) =>
  comparison(
    name,
    mostly(operators, pick('>', '<=', ...wrongOperators)),
    mostly(value, pick('1', 'abc', '`x`', 'true')),
  );
const membership = (
  name: fc.Arbitrary<string>,
  value = listText,
  operators = anyCase(pick('IN', 'NOT IN')),
) =>
  comparison(
    name,
    operators,
    mostly(listOf(value), pick("'a'", '()', '(1)', '(a)', "('a', 1)", "('a',)", '(')),
  );

/** Clauses joined as people join them, and as they get it wrong. */
const joined = (clause: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(clause, { maxLength: 3 }),
      mostly(pick(' AND ', ' and '), pick(' OR ', ' , ', ' AND AND ', ' NAND ')),
      mostly(pick('', ' AND'), pick(';', ')', ' x', " 'x'", ' and 1=1')),
    )
    .map(([clauses, conjunction, end]) => clauses.join(conjunction) + (clauses.length > 0 ? end : ''));

const metrics = ['metrics', 'metric'];
const parameters = ['params', 'param', 'parameters', 'parameter'];
const attributes = ['', 'attributes', 'attribute', 'attr', 'run'];
const runClause = fc.oneof(
  numeric(named(metrics, ['loss', 'score', 'odd key', 'absent'])),
  numeric(named(attributes, ['start_time', 'end_time', 'created', 'Created'])),
  textual(named([...parameters, 'tags', 'tag'], ['rate', 'team', 'odd key', 'absent'])),
  nullness(named([...parameters, 'tags', 'tag'], ['rate', 'team', 'odd key'])),
  nullness(pick('metrics.loss', 'status', 'dataset.name')),
  textual(named(attributes, ['status', 'run_name', 'user_id', 'run name', 'Run name', 'Run Name', 'run_id'])),
  textual(named(['datasets', 'dataset'], ['name', 'digest', 'context'])),
  membership(named(['datasets', 'dataset'], ['name', 'digest', 'context'])),
  membership(named(attributes, ['run_id', 'status', 'run_name'])),
  membership(pick('params.rate', 'tags.team', 'metrics.loss')),
  pick(
    "foo.a = 'x'",
    'experiment_id = 1',
    "lifecycle_stage = 'active'",
    "dataset.source = 'x'",
    'metrics.a',
    "Params.a = 'x'",
  ),
);
const experimentClause = fc.oneof(
  textual(named(['', 'attribute'], ['name'], ['`']), quoted, pick(...textOperators)),
  comparison(
    named(['', 'attribute'], ['creation_time', 'last_update_time']),
    mostly(pick(...numericOperators), pick('LIKE')),
    mostly(pick('0', '1', '99999999999999', '-5'), pick('1.5', "'x'")),
  ),
  textual(named(['tags', 'tag'], ['team', 'odd key']), quoted, pick(...textOperators)),
  nullness(named(['tags', 'tag'], ['team', 'odd key'])),
  comparison(
    pick('experiment_id', 'attribute.experiment_id'),
    pick('=', '!='),
    pick("'1'", "'0'", "'x'", '1'),
  ),
  membership(pick('experiment_id', 'name'), pick("'1'", "'77'"), pick('IN', 'NOT IN')),
  pick("params.a = 'x'", "foo = 'x'"),
);
const modelClause = fc.oneof(
  comparison(
    named(['metrics'], ['acc', 'absent'], ['`']),
    mostly(pick(...numericOperators), pick('LIKE', 'IN')),
    pick('0', '0.5', '-1', '1e2'),
  ),
  comparison(
    named(['params', 'tags'], ['rate', 'team', 'odd key'], ['`']),
    mostly(anyCase(pick(...textOperators)), pick('>', 'RLIKE')),
    singleQuoted,
  ),
  comparison(pick('params.rate', 'tags.team', 'name'), anyCase(pick('IN', 'NOT IN')), listOf(listText)),
  comparison(
    named(['', 'attributes'], ['name', 'model_type'], ['`']),
    mostly(pick(...textOperators), pick('>')),
    singleQuoted,
  ),
  comparison(
    pick('creation_timestamp', 'last_updated_timestamp'),
    pick(...numericOperators),
    pick('0', '99999999999999'),
  ),
);
const registeredClause = fc.oneof(
  textual(pick('name', 'attribute.name')),
  membership(pick('name', 'attribute.name')),
  textual(named(['tags', 'tag'], ['team', 'odd key'])),
  comparison(
    pick('tags.`mlflow.prompt.is_prompt`', 'tag.`mlflow.prompt.is_prompt`'),
    pick(...textOperators),
    pick("'true'", "'false'", "'True'", "'%'"),
  ),
  membership(pick('tags.team')),
  pick("run_id = 'x'", "params.a = 'x'", "foo = 'x'", 'name = 1'),
);
const versionClause = fc.oneof(
  registeredClause,
  textual(pick('source_path', 'run_id')),
  membership(pick('run_id', 'source_path')),
  comparison(
    pick('version_number', 'attribute.version_number'),
    mostly(pick(...numericOperators), pick('LIKE', 'IN')),
    mostly(pick('1', '2', "'1'"), pick('1.5', "'x'")),
  ),
);

const direction = mostly(anyCase(pick('', ' ASC', ' DESC')), pick(' ACS', ' DESC DESC', ' != 1'));
const orderOf = (name: fc.Arbitrary<string>) =>
  fc.array(
    fc.tuple(name, direction).map((parts) => parts.join('')),
    { maxLength: 3 },
  );
const runOrder = fc.oneof(
  named(metrics, ['loss', 'score', 'odd key', 'absent']),
  named([...parameters, 'tags', 'tag'], ['rate', 'team', 'odd key', 'absent']),
  named(attributes, ['start_time', 'end_time', 'Created', 'status', 'run_name', 'user_id']),
  pick('dataset.name', 'foo', 'm.loss', 'attribute.experiment_id', '`Run Name`', 'metrics', '`metrics.loss`'),
);

const modelOrder = fc.uniqueArray(
  fc.tuple(pick('metrics.acc', 'metrics.absent', 'name', 'creation_timestamp', 'params.rate'), fc.boolean()),
  { maxLength: 2, selector: ([name]) => name },
);

const search = (
  kind: SearchKind,
  clause: fc.Arbitrary<string>,
  order: fc.Arbitrary<AskedSearch['order']>,
  datasets: fc.Arbitrary<readonly string[]> = fc.constant([]),
): fc.Arbitrary<AskedSearch> =>
  fc.record({ kind: fc.constant(kind), filter: joined(clause), order, datasets });

export const anySearch: fc.Arbitrary<AskedSearch> = fc.oneof(
  { weight: 5, arbitrary: search('runs', runClause, orderOf(runOrder)) },
  {
    weight: 2,
    arbitrary: search(
      'experiments',
      experimentClause,
      orderOf(pick('name', 'attribute.name', 'experiment_id', 'creation_time', '`name`', 'tags.team', 'foo')),
    ),
  },
  {
    weight: 2,
    arbitrary: search('loggedModels', modelClause, modelOrder, fc.subarray(['wine', 'iris', 'x'])),
  },
  {
    weight: 2,
    arbitrary: search(
      'registered',
      registeredClause,
      orderOf(pick('name', 'timestamp', 'last_updated_timestamp', 'creation_timestamp', 'foo')),
    ),
  },
  {
    weight: 2,
    arbitrary: search(
      'versions',
      versionClause,
      orderOf(
        pick('name', 'version_number', 'creation_timestamp', 'attribute.last_updated_timestamp', 'tags.team'),
      ),
    ),
  },
);
