import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ImportedAssessment, ImportOmission, ImportRecord } from '../../protocol/importing.ts';
import { artifactFiles } from './artifactFiles.ts';
import { type LocationRules, locateArtifacts } from './artifactLocation.ts';
import { type FlatYamlMap, numberOf, textOf } from './flatYaml.ts';
import { filesBelow, foldersIn, readKeyedFiles, readText } from './keyedFiles.ts';
import { type ExperimentFolder, isFile, nameOf, readMeta, statusOf } from './mlrunsLayout.ts';
import { endsWith, omission, omittedArtifacts } from './mlrunsRun.ts';
import { parsePythonYaml } from './pythonYaml.ts';
import { artifactLocationTag, readAssessment, traceStateOf } from './traceParts.ts';

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
  const assessments = readAssessments(join(folder, 'assessments'), subject);
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
  yield* readFiles(experiment, folder, uri, rules);
  return true;
}

/** The files of a trace lie in its own folder, whatever its tag says, unless its experiment keeps them elsewhere. */
async function* readFiles(
  experiment: ExperimentFolder,
  folder: string,
  uri: string | null,
  rules: LocationRules,
): AsyncIterable<ImportRecord> {
  const traceId = nameOf(folder);
  const owner = { type: 'trace', id: traceId } as const;
  const subject = `trace ${traceId}/artifacts`;
  const own = join(folder, 'artifacts');
  if (uri === null || existsSync(own)) {
    yield* artifactFiles(owner, own, folder, subject);
    return;
  }
  const location = locateArtifacts(uri, rules);
  if (location.kind === 'here') yield* artifactFiles(owner, location.folder, location.root, subject);
  else if (location.kind !== 'missing') yield* omittedArtifacts(subject, location);
  // One that has not ended has no spans yet, and its folder may have been moved since.
  else if (!endsWith(location.folder, [experiment.id, 'traces', traceId, 'artifacts'])) {
    yield* omittedArtifacts(subject, location);
  }
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

interface Assessments {
  readonly values: readonly ImportedAssessment[];
  readonly omissions: readonly ImportOmission[];
}

function readAssessments(folder: string, traceSubject: string): Assessments {
  const omissions: ImportOmission[] = [];
  const values = filesBelow(folder).flatMap((name) => {
    const subject = `${traceSubject}/assessments/${name}`;
    const read = readText(join(folder, name), largestAssessmentBytes);
    const assessment = 'problem' in read ? read : parseAssessment(read.text);
    if (!('problem' in assessment)) return [assessment];
    omissions.push(omission(subject, 'unreadable', { detail: assessment.problem }));
    return [];
  });
  const made = ({ fields, assessmentId }: ImportedAssessment) =>
    `${String(fields.create_time ?? '')} ${assessmentId}`;
  return { values: values.sort((one, other) => (made(one) < made(other) ? -1 : 1)), omissions };
}

function parseAssessment(text: string): ImportedAssessment | { readonly problem: string } {
  try {
    return readAssessment(parsePythonYaml(text)) ?? { problem: 'it is no assessment' };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}
