import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Assessment } from '../../protocol/assessment.ts';
import type { ImportRecord } from '../../protocol/importing.ts';
import type { LocationRules } from './artifactLocation.ts';
import { type FlatYamlMap, numberOf, parsePythonYaml, textOf } from './flatYaml.ts';
import { filesBelow, foldersIn, readKeyedFiles, readText } from './keyedFiles.ts';
import { locateOwned, ownArtifacts, readArtifacts } from './mlrunsArtifacts.ts';
import { type ExperimentFolder, isFile, nameOf, readMeta, statusOf } from './mlrunsLayout.ts';
import { artifactLocationTag, type ReadAssessments, readAssessments, traceStateOf } from './traceParts.ts';
import { omission } from './tracker/omission.ts';

const infoFile = 'trace_info.yaml';
const largestAssessmentBytes = 1024 * 1024;
/** Of so many traces all is watched, the newest; older ones are hardly ever changed. */
const mostWatched = 100;

/** The traces of an experiment. A folder without `trace_info.yaml` is none. */
export function traceFolders(experiment: string): readonly string[] {
  const traces = join(experiment, 'traces');
  return foldersIn(traces)
    .map((name) => join(traces, name))
    .filter((folder) => isFile(join(folder, infoFile)));
}

/** Where new traces, and changes of the newest, show. */
export function watchedOfTraces(experiment: string): readonly string[] {
  const traces = join(experiment, 'traces');
  const newest = foldersIn(traces)
    .map((name) => ({
      folder: join(traces, name),
      written: statusOf(join(traces, name, infoFile))?.mtimeMs ?? Number.MAX_VALUE,
    }))
    .sort((one, other) => other.written - one.written)
    .slice(0, mostWatched);
  return [
    traces,
    ...newest.flatMap(({ folder }) => [folder, ...foldersIn(folder).map((name) => join(folder, name))]),
  ];
}

/** Yields a trace with its spans and other files. Gives false when its `trace_info.yaml` cannot be read. */
export async function* readTrace(
  experiment: ExperimentFolder,
  folder: string,
  rules: LocationRules,
): AsyncGenerator<ImportRecord, boolean> {
  const traceId = nameOf(folder);
  const subject = `trace ${traceId}`;
  const read = readMeta(folder, infoFile);
  const problem = 'problem' in read ? read.problem : problemOf(read.meta, traceId);
  if ('problem' in read || problem !== null) {
    yield omission(`${subject}/${infoFile}`, 'unreadable', { detail: problem ?? '' });
    return false;
  }
  const { meta } = read;
  const tags = readKeyedFiles(join(folder, 'tags'), `${subject}/tags`);
  const metadata = readKeyedFiles(join(folder, 'request_metadata'), `${subject}/request_metadata`);
  const assessments = readAssessmentFiles(join(folder, 'assessments'), traceId);
  yield* [...tags.omissions, ...metadata.omissions, ...assessments.omissions];
  yield {
    type: 'trace',
    traceId,
    experimentId: experiment.id,
    requestTime: timeOf(meta) ?? 0,
    executionDuration: numberOf(meta, 'execution_duration_ms') ?? numberOf(meta, 'execution_time_ms'),
    state: traceStateOf(textOf(meta, 'state') ?? textOf(meta, 'status')),
    clientRequestId: textOf(meta, 'client_request_id'),
    requestPreview: textOf(meta, 'request_preview'),
    responsePreview: textOf(meta, 'response_preview'),
    tags: tags.values,
    metadata: metadata.values,
    assessments: assessments.values,
    // MLflow's file store keeps no links.
    linkedRuns: [],
    linkedPrompts: [],
  };
  const uri = tags.values.find(({ key }) => key === artifactLocationTag)?.value ?? null;
  // Its files lie in its own folder, whatever its tag says, unless its experiment keeps them elsewhere.
  const named = existsSync(ownArtifacts(folder)) ? null : uri;
  const location = locateOwned(folder, [experiment.id, 'traces', traceId, 'artifacts'], named, rules);
  yield* readArtifacts({ type: 'trace', id: traceId }, folder, location, subject);
  return true;
}

function problemOf(meta: FlatYamlMap, traceId: string): string | null {
  const id = textOf(meta, 'trace_id') ?? textOf(meta, 'request_id');
  if (id !== traceId) return `its trace_id is ${id ?? 'not there'}`;
  return timeOf(meta) === null ? 'it does not say when the trace began' : null;
}

/** MLflow 3 writes times as protobuf's JSON has them, MLflow 2 in milliseconds. */
function timeOf(meta: FlatYamlMap): number | null {
  const text = textOf(meta, 'request_time');
  if (text === null) return numberOf(meta, 'timestamp_ms');
  const time = Date.parse(text);
  return Number.isNaN(time) ? null : time;
}

function readAssessmentFiles(folder: string, traceId: string): ReadAssessments {
  const sources = filesBelow(folder).map((name) => ({
    name,
    read: () => {
      const read = readText(join(folder, name), largestAssessmentBytes);
      if ('problem' in read) throw new Error(read.problem);
      return parsePythonYaml(read.text);
    },
  }));
  const { values, omissions } = readAssessments(traceId, sources);
  const made = ({ fields, assessmentId }: Assessment) =>
    `${String(fields.create_time ?? '')} ${assessmentId}`;
  return { values: values.toSorted((one, other) => (made(one) < made(other) ? -1 : 1)), omissions };
}
