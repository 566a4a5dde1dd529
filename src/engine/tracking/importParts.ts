import { SlipwayError } from '../../protocol/errors.ts';
import type { ImportOmission, OmissionReason } from '../../protocol/importing.ts';
import type { ImportMarks, MarkMerge } from '../importMarks.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkKey } from './limits.ts';

/** What became of a thing that was imported. */
export interface SubjectImport {
  readonly outcome: 'new' | 'changed' | 'same';
  /** To be handed in with the next import of the thing from the same source. */
  readonly marks: ImportMarks;
  readonly omissions: readonly ImportOmission[];
}

export function omission(
  subject: string,
  reason: OmissionReason,
  values: ImportOmission['values'] = {},
): ImportOmission {
  return { type: 'omission', subject, reason, values };
}

/** What both sides changed since the last import. */
export function conflictsOf(subject: string, { conflicts }: MarkMerge): readonly ImportOmission[] {
  return conflicts.map(({ field, here, there }) =>
    omission(`${subject}/${field}`, 'conflict', { here, there }),
  );
}

/** Why a key is not allowed; null when it is. */
export function keyProblem(key: string, noun: Parameters<typeof checkKey>[1]): string | null {
  try {
    checkKey(key, noun);
    return null;
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
}

/** Where the artifacts of imported things of an experiment go: never to where the experiment keeps its own elsewhere. */
export function artifactRootOf(
  { artifacts }: TrackingDependencies,
  experiment: { readonly experimentId: string; readonly artifactLocation: string },
): string {
  return experiment.artifactLocation.startsWith('mlflow-artifacts:')
    ? experiment.artifactLocation.replace(/\/$/, '')
    : artifacts.locationOf(experiment.experimentId);
}
