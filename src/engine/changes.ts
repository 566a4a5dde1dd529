import type { SettingsProblem } from '../protocol/endpointSettings.ts';
import type { EngineEvent, EngineEvents } from '../protocol/engine.ts';
import type { LoadTestStep } from '../protocol/loadTest.ts';
import type { Saying } from '../protocol/servingSentences.ts';

/** Where domains say that something changed, and where the doors of the engine listen. */
export interface Changes {
  tracking(experimentId: string, runId?: string): void;
  registry(model: string): void;
  serving(endpoint: string): void;
  provenance(runId: string): void;
  /** Another process wrote to the store: anything may have changed. */
  elsewhere(): void;
  /** Says a line for the output channel; with `endpoint` it is about that one. */
  log(level: EngineEvents['log']['level'], message: string, endpoint?: string): void;
  loadTestStep(endpoint: string, step: LoadTestStep): void;
  /** The settings file was read; with what is wrong in it. */
  settingsRead(problems: readonly SettingsProblem[]): void;
  /** The rollout of a version was ended by the settings or the registry. */
  rolloutReplaced(endpoint: string, version: number, reason: Saying): void;
  listen(listener: ChangeListener): { dispose(): void };
}

export type ChangeListener = <Event extends EngineEvent>(event: Event, data: EngineEvents[Event]) => void;

/** Changes closer together than this are told as one, so that a busy training loop does not flood the editor. */
const gatherMilliseconds = 100;

/** Gathers changes for a moment and tells all listeners at once. Log lines go out immediately. */
export function createChanges(): Changes {
  const listeners = new Set<ChangeListener>();
  const tell: ChangeListener = (event, data) => {
    for (const listener of listeners) listener(event, data);
  };

  const experimentIds = new Set<string>();
  const runIds = new Set<string>();
  const models = new Set<string>();
  const endpoints = new Set<string>();
  const runsOfKnownMaking = new Set<string>();
  let anything = false;
  let gathering = false;

  const flush = () => {
    gathering = false;
    if (anything) {
      anything = false;
      tell('tracking/changed', { experimentIds: [], runIds: [] });
      tell('registry/changed', { models: [] });
      tell('serving/changed', { endpoints: [] });
    }
    if (experimentIds.size > 0)
      tell('tracking/changed', { experimentIds: take(experimentIds), runIds: take(runIds) });
    if (models.size > 0) tell('registry/changed', { models: take(models) });
    if (endpoints.size > 0) tell('serving/changed', { endpoints: take(endpoints) });
    if (runsOfKnownMaking.size > 0) tell('provenance/changed', { runIds: take(runsOfKnownMaking) });
  };
  const gather = () => {
    if (gathering) return;
    gathering = true;
    setTimeout(flush, gatherMilliseconds).unref();
  };

  return {
    tracking(experimentId, runId) {
      experimentIds.add(experimentId);
      if (runId !== undefined) runIds.add(runId);
      gather();
    },
    registry(model) {
      models.add(model);
      gather();
    },
    serving(endpoint) {
      endpoints.add(endpoint);
      gather();
    },
    provenance(runId) {
      runsOfKnownMaking.add(runId);
      gather();
    },
    elsewhere() {
      anything = true;
      gather();
    },
    log: (level, message, endpoint) =>
      tell('log', { level, message, ...(endpoint !== undefined && { endpoint }) }),
    loadTestStep: (endpoint, step) => tell('serving/loadTestStep', { endpoint, step }),
    settingsRead: (problems) => tell('serving/settingsRead', { problems }),
    rolloutReplaced: (endpoint, version, reason) =>
      tell('serving/rolloutReplaced', { endpoint, version, reason }),
    listen(listener) {
      listeners.add(listener);
      return { dispose: () => listeners.delete(listener) };
    },
  };
}

function take(names: Set<string>): string[] {
  const taken = [...names];
  names.clear();
  return taken;
}
