import { type ConfigurationScope, workspace } from 'vscode';
import { type SettingId, type SettingValue, settings } from '../contributions.ts';

/** The value of a setting; one of the wrong type counts as not set. */
export function settingOf<Id extends SettingId>(id: Id, scope?: ConfigurationScope): SettingValue<Id> {
  const definition = settings[id];
  const parsed = definition.value.safeParse(workspace.getConfiguration(undefined, scope).get(id));
  return (parsed.success ? parsed.data : definition.default) as SettingValue<Id>;
}
