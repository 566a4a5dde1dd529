import type { CodeState } from '../../protocol/provenance.ts';
import type { KeyValue } from '../../protocol/tracking.ts';

/** The tags that MLflow knows for the state of a repository. */
export function gitTags({ commit, branch, repository, changedFileCount }: CodeState): readonly KeyValue[] {
  const tag = (name: string, value: string | null) =>
    value === null ? [] : [{ key: `mlflow.source.git.${name}`, value }];
  return [
    ...tag('commit', commit),
    ...tag('branch', branch),
    ...tag('dirty', commit === null ? null : String(changedFileCount > 0)),
    ...tag('repoURL', repository),
  ];
}
