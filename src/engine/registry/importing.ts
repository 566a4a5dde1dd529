import { SlipwayError } from '../../protocol/errors.ts';
import type {
  ImportedModelAliases,
  ImportedModelVersion,
  ImportedRegisteredModel,
  ImportOmission,
} from '../../protocol/importing.ts';
import type { KeyValue } from '../../protocol/tracking.ts';
import { createMarkMerge, type ImportMarks, type MarkMerge } from '../importMarks.ts';
import type { RegistryImportStore } from './importStore.ts';
import { checkAlias, checkAliasIsFree, checkModelName, checkTag } from './names.ts';
import type { RegistryParts } from './parts.ts';

/** What became of something that was imported. */
export interface RegistryImport {
  readonly outcome: 'new' | 'changed' | 'same';
  /** To be handed in with the next import of it from the same source. */
  readonly marks: ImportMarks;
  readonly omissions: readonly ImportOmission[];
}

/**
 * Writes what was registered elsewhere, with the numbers, times and stages that it has. To be called in a transaction. All of
 * it may be written again, which changes nothing; what changed in the source since is taken over where nobody changed it
 * here.
 */
export interface RegistryImports {
  importRegisteredModel(model: ImportedRegisteredModel, before: ImportMarks): RegistryImport;
  /** @param filesUri where its files lie now; null when they were not imported. */
  importModelVersion(
    version: ImportedModelVersion,
    filesUri: string | null,
    before: ImportMarks,
  ): RegistryImport;
  /** @param isImported whether the version of this number here is the one of the source. */
  importModelAliases(
    aliases: ImportedModelAliases,
    isImported: (version: number) => boolean,
    before: ImportMarks,
  ): RegistryImport;
}

/** Stands for who moved a version to the stage that it was imported with. */
const importer = 'Slipway import';

export function createRegistryImports(
  { store, changes }: RegistryParts,
  imports: RegistryImportStore,
): RegistryImports {
  const importTags = (
    subject: string,
    tags: readonly KeyValue[],
    here: readonly KeyValue[],
    merge: MarkMerge,
    write: (tag: KeyValue) => unknown,
  ): { readonly changed: boolean; readonly omissions: readonly ImportOmission[] } => {
    let changed = false;
    const omissions: ImportOmission[] = [];
    for (const tag of tags) {
      const problem = problemOf(() => checkTag(tag));
      if (problem !== null) {
        omissions.push(omission(`${subject}/tags/${tag.key}`, 'invalidKey', { detail: problem }));
        continue;
      }
      const value = here.find(({ key }) => key === tag.key)?.value ?? null;
      if (!merge.takes(`tags/${tag.key}`, value, tag.value)) continue;
      write(tag);
      changed = true;
    }
    return { changed, omissions };
  };

  return {
    importRegisteredModel(imported, before) {
      const { name, description } = imported;
      const subject = `registered model ${name}`;
      const problem = problemOf(() => checkModelName(name));
      if (problem !== null) {
        return same(before, [omission(subject, 'invalidKey', { detail: problem })]);
      }
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
      const tags = importTags(subject, imported.tags, found?.tags ?? [], merge, (tag) =>
        store.setModelTag(id, tag),
      );
      changed ||= tags.changed;
      if (found === null || changed) changes.registry(name);
      return {
        outcome: found === null ? 'new' : changed ? 'changed' : 'same',
        marks: merge.marks,
        omissions: [...tags.omissions, ...conflictsOf(subject, merge)],
      };
    },

    importModelVersion(imported, filesUri, before) {
      const { name, version } = imported;
      const subject = `registered model ${name}/version-${version}`;
      const model = store.model(name);
      if (model === null) return same(before, []);
      const identity = imports.versionIdentity(model.id, version);
      const isKnown = Object.hasOwn(before, 'stage');
      if (identity !== null && !isKnown && !isSame(identity, imported)) {
        return same(before, [omission(subject, 'versionTaken', { model: name, version })]);
      }
      // Deleted here: that is the person's last word on it.
      if (identity?.deleted) return same(before, []);
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
      const tags = importTags(subject, imported.tags, found?.tags ?? [], merge, (tag) =>
        store.setVersionTag(id, tag),
      );
      changed ||= tags.changed;
      if (found === null || changed) changes.registry(name);
      return {
        outcome: found === null ? 'new' : changed ? 'changed' : 'same',
        marks: merge.marks,
        omissions: [...tags.omissions, ...conflictsOf(subject, merge)],
      };
    },

    importModelAliases({ name, aliases }, isImported, before) {
      const subject = `registered model ${name}/aliases`;
      const model = store.model(name);
      if (model === null) return same(before, []);
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

function same(marks: ImportMarks, omissions: readonly ImportOmission[]): RegistryImport {
  return { outcome: 'same', marks, omissions };
}

function conflictsOf(subject: string, { conflicts }: MarkMerge): readonly ImportOmission[] {
  return conflicts.map(({ field, here, there }) =>
    omission(`${subject}/${field}`, 'conflict', { here, there }),
  );
}

function omission(
  subject: string,
  reason: ImportOmission['reason'],
  values: ImportOmission['values'],
): ImportOmission {
  return { type: 'omission', subject, reason, values };
}

function problemOf(check: () => void): string | null {
  try {
    check();
    return null;
  } catch (error) {
    if (error instanceof SlipwayError) return error.message;
    throw error;
  }
}
