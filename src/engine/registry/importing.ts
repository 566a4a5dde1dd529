import type {
  ImportedModelAliases,
  ImportedModelVersion,
  ImportedRegisteredModel,
  ImportOmission,
} from '../../protocol/importing.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import {
  conflictsOf,
  importTags,
  notTaken,
  omission,
  problemOf,
  type SubjectImport,
  type TagsToImport,
} from '../importedSubject.ts';
import { createMarkMerge, type ImportMarks } from '../importMarks.ts';
import type { RegistryImportStore } from './importStore.ts';
import { checkAlias, checkAliasIsFree, checkModelName, checkTag } from './names.ts';
import type { RegistryParts } from './parts.ts';

/**
 * Writes what was registered elsewhere, with the numbers, times and stages that it has. To be called in a transaction. All of
 * it may be written again, which changes nothing; what changed in the source since is taken over where nobody changed it
 * here.
 */
export interface RegistryImports {
  importRegisteredModel(model: ImportedRegisteredModel, before: ImportMarks): SubjectImport;
  /** @param filesUri where its files lie now; null when they were not imported. */
  importModelVersion(
    version: ImportedModelVersion,
    filesUri: string | null,
    before: ImportMarks,
  ): SubjectImport;
  /** @param isImported whether the version of this number here is the one of the source. */
  importModelAliases(
    aliases: ImportedModelAliases,
    isImported: (version: number) => boolean,
    before: ImportMarks,
  ): SubjectImport;
}

/** Stands for who moved a version to the stage that it was imported with. */
const importer = 'Slipway import';

export function createRegistryImports(
  { store, changes }: RegistryParts,
  imports: RegistryImportStore,
): RegistryImports {
  /** Writes the tags, tells of what changed, and sums up. */
  const finish = (
    tags: TagsToImport,
    model: string,
    change: { readonly isNew: boolean; readonly changed: boolean },
  ): SubjectImport => {
    const { changed, omissions } = importTags(tags);
    const outcome = change.isNew ? 'new' : change.changed || changed ? 'changed' : 'same';
    if (outcome !== 'same') changes.registry(model);
    const { subject, merge } = tags;
    return { outcome, marks: merge.marks, omissions: [...omissions, ...conflictsOf(subject, merge)] };
  };

  return {
    importRegisteredModel(imported, before) {
      const { name, description } = imported;
      const subject = `registered model ${name}`;
      const problem = problemOf(() => checkModelName(name));
      if (problem !== null) return notTaken(before, [omission(subject, 'invalidKey', { detail: problem })]);
      const found = store.model(name);
      const merge = createMarkMerge(found === null ? {} : before);
      let changed = false;
      const id =
        found?.id ?? imports.insertModel(name, description, imported.creationTime, imported.lastUpdateTime);
      if (found === null) merge.note('description', description);
      else if (merge.takes('description', found.description, description)) {
        store.describeModel(id, description, imported.lastUpdateTime);
        changed = true;
      }
      const tags = {
        subject,
        here: found?.tags ?? [],
        there: imported.tags,
        merge,
        check: checkTag,
        write: (tag: KeyValue) => store.setModelTag(id, tag),
      };
      return finish(tags, name, { isNew: found === null, changed });
    },

    importModelVersion(imported, filesUri, before) {
      const { name, version } = imported;
      const subject = `registered model ${name}/version-${version}`;
      const model = store.model(name);
      if (model === null) return notTaken(before, []);
      const identity = imports.versionIdentity(model.id, version);
      const isKnown = Object.hasOwn(before, 'stage');
      if (identity !== null && !isKnown && !isSame(identity, imported)) {
        return notTaken(before, [omission(subject, 'versionTaken', { model: name, version })]);
      }
      // Deleted here: that is the person's last word on it.
      if (identity?.deleted) return notTaken(before, []);
      const found = identity === null ? null : store.version(name, version);
      const merge = createMarkMerge(found === null ? {} : before);
      let changed = false;
      const id = found?.id ?? imports.insertVersion(model.id, toInsert(imported, filesUri));
      if (found === null) {
        merge.note('stage', imported.stage);
        merge.note('description', imported.description);
        if (imported.stage !== 'None' && !imported.deleted) note(imported, 'None');
      } else {
        if (merge.takes('stage', found.stage, imported.stage)) {
          imports.setStage(id, imported.stage, imported.lastUpdateTime);
          note(imported, found.stage);
          changed = true;
        }
        if (merge.takes('description', found.description, imported.description)) {
          store.describeVersion(id, imported.description, imported.lastUpdateTime);
          changed = true;
        }
      }
      const tags = {
        subject,
        here: found?.tags ?? [],
        there: imported.tags,
        merge,
        check: checkTag,
        write: (tag: KeyValue) => store.setVersionTag(id, tag),
      };
      return finish(tags, name, { isNew: found === null, changed });
    },

    importModelAliases({ name, aliases }, isImported, before) {
      const subject = `registered model ${name}/aliases`;
      const model = store.model(name);
      if (model === null) return notTaken(before, []);
      const merge = createMarkMerge(before);
      const omissions: ImportOmission[] = [];
      let changed = false;
      const versionHere = (alias: string) => store.aliasVersion(model.id, alias)?.toString() ?? null;
      for (const { alias, version } of aliases) {
        const problem = problemOf(() => {
          checkAlias(alias);
          checkAliasIsFree(alias);
        });
        if (problem !== null) {
          omissions.push(omission(`${subject}/${alias}`, 'invalidKey', { detail: problem }));
        } else if (store.version(name, version) === null) {
          const detail = `there is no version ${version}`;
          omissions.push(omission(`${subject}/${alias}`, 'invalidValue', { detail }));
        } else if (!isImported(version)) {
          omissions.push(omission(`${subject}/${alias}`, 'versionTaken', { model: name, version }));
        } else if (merge.takes(alias, versionHere(alias), String(version))) {
          store.setAlias(model.id, alias, version);
          changed = true;
        }
      }
      for (const alias of Object.keys(before)) {
        if (aliases.some((there) => there.alias === alias)) continue;
        if (!merge.takes(alias, versionHere(alias), null)) continue;
        store.deleteAlias(model.id, alias);
        changed = true;
      }
      if (changed) changes.registry(name);
      return {
        outcome: changed ? 'changed' : 'same',
        marks: merge.marks,
        omissions: [...omissions, ...conflictsOf(subject, merge)],
      };
    },
  };

  function note({ name, version, stage, lastUpdateTime }: ImportedModelVersion, from: typeof stage): void {
    const why = 'The version was imported with this stage.';
    store.insertTransition(name, { version, from, to: stage, who: importer, why, when: lastUpdateTime });
  }
}

function isSame(
  here: { readonly runId: string | null; readonly createdAt: number },
  there: ImportedModelVersion,
): boolean {
  return here.createdAt === there.creationTime && (there.deleted || here.runId === there.runId);
}

function toInsert(imported: ImportedModelVersion, filesUri: string | null) {
  const { creationTime, lastUpdateTime, files: _, name: __, type: ___, tags: ____, ...version } = imported;
  if (imported.deleted) {
    const nothing = {
      description: '',
      userId: '',
      source: '',
      storageLocation: '',
      runId: null,
      runLink: '',
    };
    return {
      ...version,
      ...nothing,
      stage: 'None' as const,
      modelId: null,
      createdAt: creationTime,
      lastUpdated: lastUpdateTime,
    };
  }
  // Locations that mean something everywhere stay; those of the machine that it comes from do not.
  const isPortable = /^(models|runs):/.test(imported.source);
  return {
    ...version,
    source: isPortable ? imported.source : (filesUri ?? imported.source),
    storageLocation: filesUri ?? '',
    createdAt: creationTime,
    lastUpdated: lastUpdateTime,
  };
}
