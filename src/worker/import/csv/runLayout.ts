import { type ColumnFacts, isLineNumber } from './columnFacts.ts';
import { likeliestRole, type Role, type RunColumn, splitIntoGroups } from './roles.ts';
import { createUniqueKeys } from './uniqueKeys.ts';

/** Which export a table with one run a line is. */
export type RunTableKind = 'mlflowSearch' | 'mlflowPage' | 'mlflowChart' | 'wandb' | 'generic';

/** A table with one run a line. */
export interface RunLayout {
  readonly kind: RunTableKind;
  readonly columns: readonly RunColumn[];
}

/** Columns of MLflow's page "Download CSV" that come before parameters, metrics and tags. */
const pageColumns: Readonly<Record<string, Role | string>> = {
  'Start Time': 'startTime',
  Duration: 'duration',
  'Run ID': 'runId',
  Name: 'name',
  'Source Type': 'mlflow.source.type',
  'Source Name': 'mlflow.source.name',
  User: 'user',
  Status: 'status',
};
/** Columns of `mlflow.search_runs` beside `params.…`, `metrics.…` and `tags.…`. */
const searchColumns: Readonly<Record<string, Role | string>> = {
  run_id: 'runId',
  experiment_id: 'experiment',
  status: 'status',
  artifact_uri: 'artifactUri',
  start_time: 'startTime',
  end_time: 'endTime',
};
/** Columns of the runs table of Weights & Biases before configuration and summary. */
const wandbColumns: Readonly<Record<string, Role | string>> = {
  Name: 'name',
  ID: 'runId',
  State: 'status',
  Notes: 'mlflow.note.content',
  User: 'user',
  Tags: 'wandb.tags',
  Created: 'startTime',
  Runtime: 'duration',
  Sweep: 'wandb.sweep_id',
  Agent: 'wandb.agent',
  Group: 'wandb.group',
  'Job Type': 'wandb.job_type',
  Hostname: 'wandb.host',
  Commit: 'mlflow.source.git.commit',
  'GPU Type': 'wandb.gpu',
  'GPU Count': 'wandb.gpu_count',
};
/** What columns of other tables may be called, without case and punctuation. */
const genericColumns: Readonly<Record<string, Role | string>> = {
  id: 'runId',
  runid: 'runId',
  runuuid: 'runId',
  uuid: 'runId',
  trialid: 'runId',
  name: 'name',
  run: 'name',
  runname: 'name',
  trial: 'name',
  trialname: 'name',
  status: 'status',
  state: 'status',
  start: 'startTime',
  starttime: 'startTime',
  started: 'startTime',
  startedat: 'startTime',
  created: 'startTime',
  createdat: 'startTime',
  timestamp: 'startTime',
  date: 'startTime',
  datetime: 'startTime',
  end: 'endTime',
  endtime: 'endTime',
  ended: 'endTime',
  finished: 'endTime',
  finishedat: 'endTime',
  completed: 'endTime',
  completedat: 'endTime',
  duration: 'duration',
  runtime: 'duration',
  user: 'user',
  username: 'user',
  author: 'user',
  owner: 'user',
  experiment: 'experiment',
  experimentname: 'experiment',
  project: 'experiment',
  notes: 'mlflow.note.content',
  note: 'mlflow.note.content',
  description: 'mlflow.note.content',
  tags: 'tags',
};

const roles: ReadonlySet<string> = new Set<Role>([
  'runId',
  'name',
  'status',
  'startTime',
  'endTime',
  'duration',
  'user',
  'experiment',
  'artifactUri',
]);

/** Which export a header belongs to. */
export function runTableKind(header: readonly string[]): RunTableKind {
  const has = (...names: readonly string[]) => names.every((name) => header.includes(name));
  if (has('run_id', 'experiment_id', 'status')) return 'mlflowSearch';
  if (has('Start Time', 'Duration', 'Run ID', 'Name', 'Status')) return 'mlflowPage';
  if (has('Run ID') && (header[0] === 'Run' || header[0] === 'Group')) return 'mlflowChart';
  if (has('Name', 'State', 'Created')) return 'wandb';
  return 'generic';
}

/** What each column of a table is. A parameter and a metric may have one name; of two metrics the second gets a number. */
export function runLayout(facts: readonly ColumnFacts[]): RunLayout {
  const kind = runTableKind(facts.map(({ name }) => name));
  const unique = { parameter: createUniqueKeys(), metric: createUniqueKeys(), tag: createUniqueKeys() };
  const numbered = new Set(facts.flatMap((column, index) => (isLineNumber(column) ? [index] : [])));
  const columns = columnsOf(kind, facts)
    .filter(({ index }) => !numbered.has(index))
    .sort((a, b) => a.index - b.index);
  return {
    kind,
    columns: columns.map((column) => {
      const { role, key } = column;
      return role === 'parameter' || role === 'metric' || role === 'tag'
        ? { ...column, key: unique[role](key) }
        : column;
    }),
  };
}

function columnsOf(kind: RunTableKind, facts: readonly ColumnFacts[]): readonly RunColumn[] {
  switch (kind) {
    case 'mlflowSearch':
      return facts.map(searchColumn);
    case 'mlflowPage':
      return withRest(facts, pageColumns, ['parameter', 'metric', 'tag']);
    case 'mlflowChart':
      return withRest(facts, { Run: 'name', Group: 'name', 'Run ID': 'runId' }, ['metric', 'parameter']);
    case 'wandb':
      // A summary has texts, too.
      return withRest(facts, wandbColumns, ['parameter', 'metric'], 0.05);
    case 'generic':
      return genericRoles(facts);
  }
}

function searchColumn({ name }: ColumnFacts, index: number): RunColumn {
  const known = searchColumns[name];
  if (known !== undefined) return knownColumn(index, known);
  const [, prefix = '', key = ''] = /^(params|metrics|tags)\.(.+)$/s.exec(name) ?? [];
  const role = ({ params: 'parameter', metrics: 'metric', tags: 'tag' } as const)[prefix];
  return role === undefined
    ? { index, role: 'tag', key: name, isGuessed: true }
    : { index, role, key, isGuessed: false };
}

/** Columns whose names are known, each once; the others are groups that follow one another. */
function withRest(
  facts: readonly ColumnFacts[],
  known: Readonly<Record<string, Role | string>>,
  groups: Parameters<typeof splitIntoGroups>[1],
  textAsMetric?: number,
): readonly RunColumn[] {
  const seen = new Set<string>();
  const columns: RunColumn[] = [];
  const rest: number[] = [];
  for (const [index, { name }] of facts.entries()) {
    const meaning = Object.hasOwn(known, name) ? known[name] : undefined;
    // A parameter may be called as a column of the export is; it comes later.
    if (meaning === undefined || seen.has(name)) rest.push(index);
    else columns.push(knownColumn(index, meaning));
    seen.add(name);
  }
  const split = splitIntoGroups(
    rest.flatMap((index) => facts[index] ?? []),
    groups,
    textAsMetric,
  );
  for (const [position, index] of rest.entries()) {
    const column = facts[index];
    const role = split[position] ?? 'parameter';
    const isText = role === 'metric' && column?.isNumeric === false;
    columns.push({ index, role: isText ? 'tag' : role, key: column?.name ?? '', isGuessed: true });
  }
  return columns;
}

function genericRoles(facts: readonly ColumnFacts[]): readonly RunColumn[] {
  const taken = new Set<string>();
  return facts.map((column, index) => {
    const plain = column.name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
    const meaning = Object.hasOwn(genericColumns, plain) ? genericColumns[plain] : undefined;
    if (meaning !== undefined && !taken.has(meaning) && fits(meaning, column)) {
      taken.add(meaning);
      return { ...knownColumn(index, meaning), isGuessed: true };
    }
    if (column.isEmpty) return { index, role: 'nothing', key: column.name, isGuessed: false };
    return { index, role: likeliestRole(column), key: column.name, isGuessed: true };
  });
}

function fits(meaning: string, column: ColumnFacts): boolean {
  if (meaning === 'startTime' || meaning === 'endTime') return column.isTime && !column.isEmpty;
  if (meaning === 'duration') return column.isNumeric && !column.isEmpty;
  if (meaning === 'runId') return column.isUnique;
  return !column.isEmpty;
}

/** A role, or else the key of a tag. */
function knownColumn(index: number, meaning: string): RunColumn {
  return isRole(meaning)
    ? { index, role: meaning, key: '', isGuessed: false }
    : { index, role: 'tag', key: meaning, isGuessed: false };
}

function isRole(meaning: string): meaning is Role {
  return roles.has(meaning);
}
