import { problemOf } from '../importedSubject.ts';
import type { TrackingDependencies } from './dependencies.ts';
import { checkKey } from './limits.ts';

/** Why a key is not allowed; null when it is. */
export function keyProblem(key: string, noun: Parameters<typeof checkKey>[1]): string | null {
  return problemOf(() => checkKey(key, noun));
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
