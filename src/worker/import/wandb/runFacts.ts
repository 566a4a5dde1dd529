import type { KeyValue } from '../../../protocol/tracking.ts';
import { createKeys, type Keys } from '../tracker/keys.ts';
import { parameterText } from '../tracker/nestedValues.ts';
import type { OmissionCount } from '../tracker/omission.ts';
import { readTextField } from '../tracker/protobuf.ts';
import { type EnvironmentField, readEnvironment } from './environment.ts';
import { createNestedMap, type NestedMap } from './nestedMap.ts';
import {
  type Changes,
  type Exit,
  type LoggedArtifact,
  type RecordContent,
  type RunContent,
  readArtifact,
  readChanges,
  readExit,
  readHistory,
  readOutput,
  readRun,
  readStats,
  recordFields,
  timeOf,
} from './record.ts';

/** What a run's records say about the run as a whole. */
export interface RunFacts {
  run: RunContent | null;
  readonly config: NestedMap;
  readonly summary: NestedMap;
  readonly environment: Map<EnvironmentField, string>;
  exit: Exit | null;
  readonly artifacts: LoggedArtifact[];
  /** The last history record and the last measurement of the machine, to know when the run was last heard of. */
  lastHistory: Uint8Array | null;
  lastStats: Uint8Array | null;
  /** What the script printed; empty when there is a file of it. */
  output: string;
}

/** The most that is kept of what a script printed. */
const mostOutput = 16 * 1024 * 1024;
const known: ReadonlySet<number> = new Set(Object.values(recordFields));

export function createRunFacts(): RunFacts {
  return {
    run: null,
    config: createNestedMap(),
    summary: createNestedMap(),
    environment: new Map(),
    exit: null,
    artifacts: [],
    lastHistory: null,
    lastStats: null,
    output: '',
  };
}

/**
 * Takes in what a record says about the run as a whole. What no run can keep is counted.
 *
 * @param wantsOutput whether what the script printed is to be gathered.
 * @throws Error when the record is malformed.
 */
export function takeFact(
  content: RecordContent,
  facts: RunFacts,
  untaken: OmissionCount,
  wantsOutput: boolean,
): void {
  const { field, message } = content;
  switch (field) {
    case recordFields.history:
      facts.lastHistory = message.slice();
      break;
    case recordFields.stats:
      facts.lastStats = message.slice();
      break;
    case recordFields.run:
      facts.run = readRun(message);
      apply(facts.config, facts.run.config);
      apply(facts.summary, facts.run.summary);
      break;
    case recordFields.config:
      apply(facts.config, readChanges(message));
      break;
    case recordFields.summary:
      apply(facts.summary, readChanges(message));
      break;
    case recordFields.environment:
      for (const [name, value] of readEnvironment(message)) facts.environment.set(name, value);
      break;
    case recordFields.exit:
      facts.exit = readExit(message);
      break;
    case recordFields.artifact:
      facts.artifacts.push(readArtifact(message));
      break;
    case recordFields.output:
    case recordFields.outputRaw:
      if (wantsOutput) takeOutput(readOutput(message), facts, untaken);
      break;
    case recordFields.alert:
      untaken.add('alerts');
      break;
    case recordFields.useArtifact:
      untaken.add(`uses of the artifact "${readTextField(message, 3)}"`);
      break;
    case recordFields.linkArtifact:
      untaken.add('links of artifacts to a registry');
      break;
    case recordFields.tensorboard:
      untaken.add(
        `event files of TensorBoard in ${readTextField(message, 1)}, which can be imported by themselves`,
      );
      break;
    case recordFields.metric:
      if (readTextField(message, 4) !== '') {
        const metric = readTextField(message, 1) || readTextField(message, 2);
        untaken.add(`other x axes ("${readTextField(message, 4)}" for "${metric}")`);
      }
      break;
    default:
      if (!known.has(field)) untaken.add(`records of an unknown kind, ${field}`);
  }
}

function takeOutput(text: string, facts: RunFacts, untaken: OmissionCount): void {
  if (facts.output.length + text.length > mostOutput) untaken.add('printed lines beyond 16 MB');
  else facts.output += text;
}

function apply(values: NestedMap, changes: Changes): void {
  for (const { path } of changes.remove) values.remove(path);
  for (const { path, value } of changes.update) values.set(path, value);
}

/** When the run was last heard of, in UTC milliseconds. */
export function lastTimeOf(facts: RunFacts, startTime: number): number {
  const history =
    facts.lastHistory === null ? startTime : timeOf(readHistory(facts.lastHistory).items, startTime);
  const stats = facts.lastStats === null ? startTime : readStats(facts.lastStats).time;
  return Math.max(startTime, Math.floor(history), stats);
}

/** The configuration as parameters, nested keys joined with dots. */
export function parametersOf(facts: RunFacts, keys: Keys): readonly KeyValue[] {
  return [...facts.config.leaves()]
    .filter(({ path }) => path[0] !== '_wandb' && path[0] !== 'wandb_version')
    .map(({ path, value }) => ({ key: keys.of(path.join('.')), value: parameterText(value) }));
}

/** What else is known of the run, under MLflow's names where it has some. */
export function tagsOf(facts: RunFacts, wandbId: string): readonly KeyValue[] {
  const { run, environment } = facts;
  const keys = createKeys('');
  const tags: readonly (readonly [string, string | undefined])[] = [
    ['wandb.run_id', wandbId],
    ['wandb.entity', run?.entity],
    ['wandb.project', run?.project],
    ['wandb.group', run?.group],
    ['wandb.job_type', run?.jobType],
    ['wandb.sweep_id', run?.sweepId],
    ['wandb.tags', run?.tags.join(', ')],
    ['mlflow.note.content', run?.notes],
    ['mlflow.source.name', environment.get('codePath') ?? environment.get('program')],
    ['mlflow.source.type', environment.has('program') ? 'LOCAL' : undefined],
    ['mlflow.source.git.commit', environment.get('git.commit') ?? run?.git.commit],
    ['mlflow.source.git.repoURL', environment.get('git.remote') ?? run?.git.remote],
    ...[...environment]
      .filter(([name]) => !name.startsWith('git.') && name !== 'email' && name !== 'username')
      .map(([name, value]) => [`wandb.${name}`, value] as const),
  ];
  return tags.flatMap(([name, value]) => (value ? [{ key: keys.of(name), value }] : []));
}
