import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type SettingsProblem, type SlipwaySettings, settingsFile } from '../../protocol/endpointSettings.ts';
import { readSettings, type WrittenPlans } from './settings.ts';

export interface SettingsInForce {
  readonly settings: SlipwaySettings;
  readonly written: WrittenPlans;
}

/** The settings of a workspace folder. While the file has an error, those that were read last stay in force. */
export interface SettingsWatch {
  current(): SettingsInForce;
  dispose(): void;
}

export interface SettingsListener {
  /** Other settings are in force. */
  changed(): void;
  /** The file cannot be used; all that is wrong in it. */
  refused(problems: readonly SettingsProblem[]): void;
  /** The folder cannot be watched: changes are only seen when the engine starts again. */
  unwatched(detail: string): void;
}

/** An editor writes a file in several steps: what comes closer together is read as one. */
const gatherMilliseconds = 100;

/**
 * Reads `slipway.yaml` of a workspace folder, now and whenever it changes. A folder without it has no settings.
 *
 * @param workspace absolute path.
 */
export function watchSettings(workspace: string, listener: SettingsListener): SettingsWatch {
  const file = join(workspace, settingsFile);
  let inForce: SettingsInForce = { settings: { endpoints: {} }, written: new Set() };
  let lastText: string | null = null;
  let refused = false;

  /** @returns whether other settings are in force. */
  const read = (): boolean => {
    const text = readText(file);
    if (typeof text !== 'string') {
      // What it held before is news when it can be read again.
      lastText = null;
      refuse([text]);
      return false;
    }
    if (text === lastText) return false;
    const wasThere = lastText !== null || refused;
    lastText = text;
    const found = readSettings(text);
    if ('problems' in found) {
      refuse(found.problems);
      return false;
    }
    refused = false;
    inForce = found;
    return wasThere || text !== '';
  };
  const refuse = (problems: readonly SettingsProblem[]) => {
    refused = true;
    listener.refused(problems);
  };

  read();
  let timer: NodeJS.Timeout | null = null;
  let watcher: FSWatcher | null = null;
  try {
    watcher = watch(workspace, { persistent: false }, (_event, name) => {
      if (name !== null && name !== settingsFile) return;
      timer ??= setTimeout(() => {
        timer = null;
        if (read()) listener.changed();
      }, gatherMilliseconds).unref();
    });
    watcher.on('error', (error) => listener.unwatched(error.message));
  } catch (error) {
    listener.unwatched(error instanceof Error ? error.message : String(error));
  }
  return {
    current: () => inForce,
    dispose() {
      if (timer) clearTimeout(timer);
      watcher?.close();
    },
  };
}

/** The text of the file, empty when it is not there; or why it cannot be read. */
function readText(file: string): string | SettingsProblem {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    return { line: 1, column: 1, detail: error instanceof Error ? error.message : String(error) };
  }
}
