import { type FSWatcher, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { type SlipwaySettings, settingsFile } from '../../protocol/endpointSettings.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import { readSettings, type WrittenPlans } from './settings.ts';

export interface SettingsInForce {
  readonly settings: SlipwaySettings;
  readonly written: WrittenPlans;
}

/** The settings of a workspace folder. While the file has an error, those that were read last stay in force. */
export interface SettingsWatch {
  current(): SettingsInForce;
  /** Why the file as it is cannot be used; null when it can. */
  problem(): SlipwayError | null;
  dispose(): void;
}

export interface SettingsListener {
  /** Other settings are in force. */
  changed(): void;
  /** The file cannot be used; one error for each thing that is wrong. */
  refused(errors: readonly SlipwayError[]): void;
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
  let problem: SlipwayError | null = null;

  /** @returns whether other settings are in force. */
  const read = (): boolean => {
    const text = readText(file);
    if (text instanceof SlipwayError) {
      refuse([text]);
      return false;
    }
    if (text === lastText) return false;
    const wasThere = lastText !== null || problem !== null;
    lastText = text;
    const found = readSettings(text);
    if ('problems' in found) {
      refuse(
        found.problems.map(
          (values) => new SlipwayError('settingsInvalid', { file: settingsFile, ...values }),
        ),
      );
      return false;
    }
    problem = null;
    inForce = found;
    return wasThere || text !== '';
  };
  const refuse = (errors: readonly SlipwayError[]) => {
    problem = errors[0] ?? null;
    listener.refused(errors);
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
    problem: () => problem,
    dispose() {
      if (timer) clearTimeout(timer);
      watcher?.close();
    },
  };
}

/** The text of the file; empty when it is not there. */
function readText(file: string): string | SlipwayError {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    const detail = error instanceof Error ? error.message : String(error);
    return new SlipwayError(
      'settingsInvalid',
      { file: settingsFile, line: 1, column: 1, detail },
      { cause: error },
    );
  }
}
