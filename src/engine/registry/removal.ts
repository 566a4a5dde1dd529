import type { Stage } from '../../protocol/registry.ts';
import type { RegistryStore } from './store.ts';
import type { ModelVersion } from './types.ts';

/** Stands for who did it when a script did. */
export const clientName = 'MLflow client';

/** Whether a stage is one that a version at a time is meant to hold. */
export function isActiveStage(stage: Stage): boolean {
  return stage === 'Staging' || stage === 'Production';
}

/** A version that is deleted leaves its stage, and the history of the stage must say so. */
export function noteRemoval(store: RegistryStore, version: ModelVersion, now: number): void {
  if (!isActiveStage(version.stage)) return;
  store.insertTransition(version.name, {
    version: version.version,
    from: version.stage,
    to: 'Archived',
    who: clientName,
    why: 'The version was deleted.',
    when: now,
  });
}
