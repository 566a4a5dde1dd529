import type { EngineEvents, EngineMethod } from '../protocol/engine.ts';
import { detail } from '../protocol/errorDetails.ts';
import { SlipwayError, toSlipwayError } from '../protocol/errors.ts';
import type { BackupDescription, RestoreReport } from '../protocol/maintenance.ts';
import type { Engine, RestoreOptions } from './engine.ts';
import type { JobControl } from './maintenance/parts.ts';
import type { Handlers } from './rpc.ts';

/** What the handlers stand on. */
export interface HandlerContext {
  /** Opens the engine: for the first request, and again when its store was replaced. */
  open(params: Parameters<Handlers['engine/open']>[0]): Promise<Engine>;
  /** Puts a backup in the place of a store that is closed. */
  restore(options: Omit<RestoreOptions, 'worker'>, control: JobControl): Promise<RestoreReport>;
  /** Looks at a backup. */
  describeBackup(path: string): Promise<BackupDescription>;
  /** Tells how far a long request is. */
  progress(progress: EngineEvents['job/progress']): void;
}

/**
 * Translates each request of the protocol to the service that answers it. Holds no rule of its own but one: where the
 * workspace is not trusted, what would write or start something is refused, whoever asks.
 */
export function createHandlers(context: HandlerContext): Handlers {
  let opened: Engine | null = null;
  let openedWith: Parameters<Handlers['engine/open']>[0] | null = null;
  /** Why the store could not be opened; null when it could, or was not yet. */
  let failure: SlipwayError | null = null;

  const open = async (params: Parameters<Handlers['engine/open']>[0]): Promise<Engine> => {
    openedWith = params;
    failure = null;
    try {
      opened = await context.open(params);
      return opened;
    } catch (error) {
      failure = toSlipwayError(error);
      throw failure;
    }
  };
  const engine = (): Engine => {
    if (opened !== null) return opened;
    if (failure !== null) throw failure;
    const why = openedWith === null ? 'noWorkspaceYet' : 'storeBeingReplaced';
    throw new SlipwayError('engineStopped', { detail: detail(why) });
  };
  const trustedEngine = (): Engine => {
    const { address } = engine();
    if (address === null) throw new SlipwayError('workspaceUntrusted');
    return engine();
  };

  /** Whoever shows something reads it again. */
  const tellAll = ({ changes }: Engine) => changes.elsewhere();

  const control = (method: EngineMethod, signal: AbortSignal): JobControl => ({
    signal,
    progress: (fraction, message) => context.progress({ method, subject: '', fraction, message }),
  });

  return {
    async 'engine/open'(params) {
      if (opened !== null)
        throw new SlipwayError('invalidParameter', { detail: 'The engine is open already.' });
      return (await open(params)).address;
    },

    'tracking/experiments': () => engine().tracking.experiments(),
    'tracking/runs': (params) => engine().tracking.runs(params),
    'tracking/run': ({ runId }) => engine().tracking.runDetail(runId),
    'tracking/runsWithModels': ({ limit }) => engine().tracking.runsWithModels(limit),
    'tracking/metricSeries': (params, signal) => engine().tracking.metricSeries(params, signal),
    'tracking/artifacts': ({ runId, path }) => engine().tracking.artifactEntries(runId, path),
    'tracking/artifactFile': ({ runId, path }) => engine().tracking.artifactFile(runId, path),
    'tracking/setMainMetric'(params) {
      trustedEngine().tracking.setMainMetric(params);
      return null;
    },

    'provenance/run': ({ runId }) => engine().provenance.ofRun(runId),
    'provenance/packages': ({ runId }) => engine().provenance.packages(runId),
    'provenance/changes': ({ runId }) => engine().provenance.changes(runId),

    'registry/models': () => engine().registry.models(),
    'registry/versions': ({ name }) => engine().registry.versions(name),
    'registry/version': ({ name, version }) => engine().registry.version(name, version),
    'registry/register': (params) => trustedEngine().registry.register(params),
    'registry/promote': (params) => trustedEngine().registry.promote(params),
    'registry/transitions': ({ name }) => engine().registry.transitions(name),

    'python/describe': (params, signal) => trustedEngine().pythonModels.describe(params, signal),
    'python/allow'(consent) {
      trustedEngine().pythonModels.allow(consent);
      return null;
    },

    'conversion/convert': (params, signal) =>
      trustedEngine().conversion.convert(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'conversion/convert', subject: params.name, fraction, message }),
      }),
    'conversion/register': ({ id }) => trustedEngine().conversion.register(id),
    async 'conversion/discard'({ id }) {
      await trustedEngine().conversion.discard(id);
      return null;
    },

    'serving/endpoints': () => engine().serving.endpoints(),
    'serving/start': (params) => trustedEngine().serving.start(params),
    'serving/stop': ({ endpoint }) => trustedEngine().serving.stop(endpoint),
    async 'serving/delete'({ endpoint, log }) {
      await trustedEngine().serving.delete(endpoint, log);
      return null;
    },
    'serving/describe': ({ endpoint }) => engine().serving.describe(endpoint),
    async 'serving/serveHost'({ endpoint, host }) {
      await trustedEngine().serving.serveHost(endpoint, host);
      return null;
    },
    'serving/live': ({ endpoint, from }) => engine().serving.live(endpoint, from),
    'serving/startRollout': (params) => trustedEngine().serving.startRollout(params),
    'serving/decideRollout': (params) => trustedEngine().serving.decideRollout(params),
    'serving/events': ({ endpoint, limit }) => engine().serving.events(endpoint, limit),
    'serving/sendRequest': (params) => trustedEngine().serving.sendRequest(params),

    'serving/score': (params, signal) =>
      trustedEngine().batchScoring.score(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'serving/score', subject: params.output, fraction, message }),
      }),
    'requests/page': ({ endpoint, filter, before, limit }) =>
      engine().requestLog.page(endpoint, filter, before, limit),
    'requests/export': (params, signal) =>
      trustedEngine().requestLog.export(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'requests/export', subject: params.endpoint, fraction, message }),
      }),
    'requests/replay': (params, signal) =>
      trustedEngine().requestLog.replay(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'requests/replay', subject: params.endpoint, fraction, message }),
      }),
    'serving/loadTest': (params, signal) =>
      trustedEngine().loadTests.run(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'serving/loadTest', subject: params.endpoint, fraction, message }),
      }),

    'tuning/measure': ({ endpoint, plan }, signal) =>
      trustedEngine().tuning.measure(endpoint, plan, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'tuning/measure', subject: endpoint, fraction, message }),
      }),
    'tuning/settings': ({ endpoint, choice }) => engine().tuning.settings(endpoint, choice),
    'tuning/write': ({ endpoint, choice }) => trustedEngine().tuning.write(endpoint, choice),

    'monitoring/driftSources': ({ endpoint }) => engine().monitoring.driftSources(endpoint),
    'monitoring/drift': (params, signal) =>
      trustedEngine().monitoring.drift(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'monitoring/drift', subject: params.endpoint, fraction, message }),
      }),

    'interop/detect': ({ path }, signal) =>
      trustedEngine().interop.detect(path, { signal, progress: () => undefined }),
    'interop/import': (params, signal) =>
      trustedEngine().interop.import(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'interop/import', subject: params.path, fraction, message }),
      }),
    'interop/syncs': () => engine().interop.syncs(),
    async 'interop/stopSync'(source) {
      await engine().interop.stopSync(source);
      return null;
    },
    'interop/omissions': (source) => engine().interop.omissions(source),
    'interop/export': (params, signal) =>
      trustedEngine().interop.export(params, {
        signal,
        progress: (fraction, message) =>
          context.progress({ method: 'interop/export', subject: params.folder, fraction, message }),
      }),

    'maintenance/deleteRuns'({ runIds }) {
      trustedEngine().maintenance.deleteRuns(runIds);
      return null;
    },
    'maintenance/restoreRuns'({ runIds }) {
      trustedEngine().maintenance.restoreRuns(runIds);
      return null;
    },
    'maintenance/deleteExperiment'({ experimentId }) {
      trustedEngine().maintenance.deleteExperiment(experimentId);
      return null;
    },
    'maintenance/restoreExperiment'({ experimentId }) {
      trustedEngine().maintenance.restoreExperiment(experimentId);
      return null;
    },
    'maintenance/deleted': ({ limit }) => engine().maintenance.deleted(limit),
    'maintenance/nestedRuns': ({ runId }) => engine().maintenance.nestedRuns(runId),
    'maintenance/garbage': (selection, signal) => engine().maintenance.garbage.find(selection, signal),
    'maintenance/collectGarbage': (selection, signal) =>
      trustedEngine().maintenance.garbage.collect(
        selection,
        'whenQuick',
        control('maintenance/collectGarbage', signal),
      ),
    'maintenance/diskUsage': () => engine().maintenance.diskUsage(),
    'maintenance/content': () => engine().maintenance.content(),
    'maintenance/backup': (params, signal) =>
      trustedEngine().maintenance.backUp(params, control('maintenance/backup', signal)),
    'maintenance/describeBackup': ({ path }) => context.describeBackup(path),
    async 'maintenance/restore'({ path }, signal) {
      // A store that is too damaged to be opened needs this most.
      const running = failure === null ? trustedEngine() : null;
      const params = openedWith;
      if (params === null) throw new SlipwayError('engineStopped', { detail: detail('noWorkspaceYet') });
      if (!params.trusted) throw new SlipwayError('workspaceUntrusted');
      const { workspace } = params;
      const again = { ...params, preferredPort: running?.address?.port ?? params.preferredPort };
      opened = null;
      failure = null;
      await running?.close();
      let restored: RestoreReport;
      try {
        restored = await context.restore({ workspace, path }, control('maintenance/restore', signal));
      } catch (error) {
        // The store that is there still is opened again; if it cannot be, that is what every request is told.
        await open(again).then(tellAll, () => undefined);
        throw error;
      }
      tellAll(await open(again));
      return restored;
    },
    'maintenance/check': (_params, signal) =>
      trustedEngine().maintenance.check(control('maintenance/check', signal)),
  };
}
