import { settingsFile } from '../../protocol/endpointSettings.ts';
import { detail } from '../../protocol/errorDetails.ts';
import { SlipwayError, toErrorData } from '../../protocol/errors.ts';
import { inferUrl } from '../../protocol/inferUrl.ts';
import type { ScorerModelInput } from '../../protocol/scorer.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import { phrase, type Saying, say } from '../../protocol/servingSentences.ts';
import { startScorerProcess } from '../../supervision/scorerProcess.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import { inferenceLogFile, type StoreLayout } from '../layout.ts';
import type { RegistryService } from '../registry/service.ts';
import type { WorkerProcesses } from '../workerProcess.ts';
import { createEndpointPolicy } from './endpointPolicy.ts';
import type { EndpointPolicy } from './endpointPolicyTypes.ts';
import { endpointSummary } from './endpointSummary.ts';
import { deleteInferenceLog, moveInferenceLog } from './inferenceLogMove.ts';
import { renamedEndpoints } from './modelRenames.ts';
import type { PythonModels } from './pythonModels.ts';
import { machineClock } from './rolloutClock.ts';
import { servableModel } from './servableModel.ts';
import { createEndpointStore } from './store.ts';
import { createSupervisor } from './supervisor.ts';
import type { Supervisor } from './supervisorTypes.ts';
import type { EndpointDefinition, RequestAnswer, RequestParams, ServingService } from './types.ts';

export type { ServingService } from './types.ts';

export interface ServingDependencies {
  readonly database: Database;
  readonly registry: Pick<
    RegistryService,
    'modelFolder' | 'version' | 'model' | 'modelVersion' | 'promote' | 'takeBack' | 'setAlias'
  >;
  /** Says which interpreter may load what only Python can load. */
  readonly pythonModels: Pick<PythonModels, 'allowedInterpreter' | 'whenRead'>;
  readonly layout: StoreLayout;
  readonly changes: Changes;
  /** The address that endpoints listen on; loopback unless the person asked for another. */
  readonly host: string;
  /** What endpoints ask for; null asks for nothing. */
  readonly token: string | null;
  /** Entry file of the scorer process. */
  readonly script: string;
  /** The folder with `slipway.yaml`, as an absolute path; null: no settings are read. */
  readonly workspace: string | null;
  readonly workers: Pick<WorkerProcesses, 'run'>;
}

/** The endpoints of one store. Nothing runs before `resume` or `start`. */
export function createServingService(dependencies: ServingDependencies): ServingService {
  const { database, registry, pythonModels, layout, changes, host, token, script, workspace, workers } =
    dependencies;
  const store = createEndpointStore(database);
  const supervisors = new Map<string, Supervisor>();
  /** What the registry set off; whoever starts something waits for it. */
  let following: Promise<void> = Promise.resolve();
  let closed = false;
  const follow = (work: () => Promise<void>) => {
    following = following.then(work).catch((error: unknown) => {
      changes.log('error', toErrorData(error).details ?? String(error));
    });
  };

  const supervise = (name: string): Supervisor => {
    const known = supervisors.get(name);
    if (known) return known;
    const supervisor: Supervisor = createSupervisor({
      endpoint: name,
      host,
      lastPort: () => store.find(name)?.port ?? null,
      launch: ({ models, traffic, processes, options }, doors, listener) =>
        startScorerProcess(
          script,
          {
            endpoint: name,
            host,
            token,
            models: [...models],
            traffic: [...traffic],
            shared: processes > 1,
            ...options,
          },
          doors,
          listener,
        ),
      changed() {
        changes.serving(name);
        // One that was put aside ends, and says nothing of whoever bears its name now.
        if (supervisors.get(name) === supervisor) policy.noticed(name);
      },
      log: (level, message) => changes.log(level, message, name),
    });
    supervisors.set(name, supervisor);
    return supervisor;
  };
  const define = (name: string): EndpointDefinition => {
    const definition = store.find(name);
    if (!definition) throw new SlipwayError('notFound', { detail: detail('noEndpoint', { endpoint: name }) });
    return definition;
  };
  const summarise = (definition: EndpointDefinition): EndpointSummary =>
    endpointSummary(
      {
        definition,
        supervisor: supervise(definition.name),
        host,
        ...policy.facts(definition.name),
      },
      Date.now(),
    );
  const findReady = (name: string) => {
    const definition = define(name);
    const supervisor = supervise(name);
    const summary = summarise(definition);
    const version = supervisor
      .versions()
      .find((served) => served.name === summary.modelName && served.version === summary.modelVersion);
    if (!version || summary.url === null) throw new SlipwayError('endpointNotReady', { endpoint: name });
    return {
      summary,
      version,
      versions: supervisor.versions(),
      inferUrl: inferUrl(summary.url, summary.modelName),
    };
  };
  /** @throws SlipwayError `notFound` or `versionNotServable`. */
  const servable = (modelName: string, modelVersion: number): ScorerModelInput => {
    const { name, version, stage, aliases } = registry.version(modelName, modelVersion);
    const model = servableModel(registry.modelFolder(name, version), name, version, {
      python: pythonModels.allowedInterpreter(name, version),
    });
    return { ...model, labels: [...aliases, ...(stage === 'None' ? [] : [stage])] };
  };
  /** @throws SlipwayError `cancelled` when the service was closed meanwhile. */
  const whenRead = async <Result>(work: () => Result): Promise<Result> => {
    const result = await pythonModels.whenRead(work);
    if (closed) throw new SlipwayError('cancelled');
    return result;
  };
  /** `who` null stands for the person. */
  const run = async (
    definition: EndpointDefinition,
    port: number | null,
    who: string | null,
  ): Promise<void> => {
    const { name } = definition;
    // Processes of a deleted endpoint of this name may still be answering, and its log be about to go.
    await following;
    if (!store.find(name)) throw new SlipwayError('cancelled');
    const supervisor = supervise(name);
    const before = store.find(name);
    const serving = await whenRead(() => policy.serving(definition));
    await supervisor.start(serving, port ?? policy.port(name));
    // One whose endpoint goes by another name by now must not bring the old one back.
    if (supervisors.get(name) !== supervisor) return;
    const now = store.find(name);
    // A rollout may have been promoted while the processes were being started.
    const isPromoted = before && now && before.modelVersion !== now.modelVersion;
    const modelVersion = isPromoted ? now.modelVersion : definition.modelVersion;
    const started = { ...definition, modelVersion, enabled: true };
    store.save({ ...started, port: supervisor.status().port ?? definition.port });
    await policy.started(started, who);
  };
  const resume = async (definition: EndpointDefinition) => {
    const supervisor = supervise(definition.name);
    try {
      await whenRead(() => servable(definition.modelName, definition.modelVersion));
    } catch (error) {
      if (!closed) supervisor.fail(error);
      return;
    }
    // It may have been stopped while large files were read.
    if (!store.find(definition.name)?.enabled) return;
    // What goes wrong is in the endpoint's state, and nobody waits for it here.
    run(definition, null, 'engine').catch(() => undefined);
  };
  const disable = async (name: string, who: string | null, why: Saying) => {
    const definition = store.find(name);
    if (definition) store.save({ ...definition, enabled: false });
    policy.stopped(name, who, why);
    await supervise(name).stop();
  };

  const policy: EndpointPolicy = createEndpointPolicy({
    database,
    changes,
    registry,
    workspace,
    clock: machineClock,
    sample: (job, signal) => workers.run(job, { signal, progress: () => undefined }),
    control: {
      all: store.all,
      find: store.find,
      save: store.save,
      supervisor: supervise,
      servable,
      whenRead,
      run: (definition) => run(definition, null, settingsFile),
      inferenceLog: (name) => inferenceLogFile(layout, name),
    },
  });

  return {
    endpoints: () => store.all().map(summarise),
    endpoint: (name) => summarise(define(name)),
    async start({ modelName, modelVersion, port }) {
      await following;
      const known = store.find(modelName);
      if (known && known.modelName !== modelName) {
        throw new SlipwayError('endpointNameTaken', { endpoint: modelName, model: known.modelName });
      }
      await whenRead(() => servable(modelName, modelVersion));
      const definition: EndpointDefinition = {
        ...(known ?? { name: modelName, enabled: false, port: null }),
        modelName,
        modelVersion,
      };
      if (known && known.modelVersion !== modelVersion) await policy.chosen(definition);
      if (!known || supervise(modelName).status().state !== 'ready') store.save(definition);
      await run(definition, port, null);
      return summarise(define(modelName));
    },
    async stop(name) {
      define(name);
      await disable(name, null, [phrase('answersNoMore')]);
      return summarise(define(name));
    },
    async delete(name, log) {
      await following;
      await policy.leaves(define(name).name);
      const supervisor = supervise(define(name).name);
      policy.deleted(name, () => store.remove(name));
      supervisors.delete(name);
      const ended = supervisor.stop().then(() => {
        if (log === 'delete') deleteInferenceLog(inferenceLogFile(layout, name));
      });
      // A new one of its name waits until nothing writes the log any more.
      following = following.then(() => ended).catch(() => undefined);
      await ended;
    },
    describe(name) {
      const { summary, version, versions, inferUrl } = findReady(name);
      const { inputs, outputs, exampleRequest } = version;
      return { endpoint: summary, inputs, outputs, versions, inferUrl, exampleRequest, token };
    },
    live(name, from) {
      const supervisor = supervise(define(name).name);
      return {
        endpoint: summarise(define(name)),
        ...supervisor.live.since(from, Date.now()),
        shadows: supervisor.statistics().shadows,
        rollouts: policy.rollouts(name, shownRollouts),
        events: policy.events(name, shownEvents),
      };
    },
    serveHost: async (name, host) => supervise(define(name).name).serveHost(host),
    async sendRequest(params) {
      return await sendRequest(findReady(params.endpoint).inferUrl, token, params);
    },
    startRollout: ({ endpoint, modelVersion, plan, who }) =>
      policy.startRollout(define(endpoint).name, modelVersion, plan, who),
    decideRollout: ({ endpoint, ...decision }) => policy.decideRollout(define(endpoint).name, decision),
    events(name, limit) {
      const events = policy.events(name, limit);
      if (events.length === 0) define(name);
      return events;
    },
    modelRenamed(name, newName) {
      for (const { from, to } of renamedEndpoints(store.all(), name, newName)) {
        policy.renamed(from.name, to);
        const names = [...new Set([from.name, to.name])];
        const followed = names.map((one) => supervisors.get(one));
        for (const one of names) supervisors.delete(one);
        store.rename(from.name, to.name, newName);
        for (const one of names) changes.serving(one);
        follow(async () => {
          await Promise.all(followed.map((supervisor) => supervisor?.stop()));
          if (from.name !== to.name)
            moveInferenceLog(inferenceLogFile(layout, from.name), inferenceLogFile(layout, to.name));
          const now = from.name === to.name ? 'serves it by its new name' : `is now ${to.name}`;
          changes.log('info', `${from.name}: the model was renamed, and its endpoint ${now}.`, to.name);
          const renamed = store.find(to.name);
          if (renamed?.enabled) await resume(renamed);
        });
      }
    },
    modelDeleted(model, version) {
      for (const { name, modelName, modelVersion, enabled } of store.all()) {
        if (modelName !== model || (version !== null && modelVersion !== version)) continue;
        if (!enabled && supervise(name).status().state === 'stopped') continue;
        const deleted =
          version === null ? phrase('modelWasDeleted') : phrase('versionWasDeleted', { version });
        changes.log('warning', `${name}: ${say([deleted])} The endpoint is stopped.`, name);
        follow(() => disable(name, 'registry', [phrase('answersNoMore'), deleted]));
      }
    },
    resume() {
      policy.begin();
      for (const definition of store.all()) if (definition.enabled) void resume(definition);
    },
    async close() {
      closed = true;
      await following;
      await policy.close();
      await Promise.all([...supervisors.values()].map((supervisor) => supervisor.stop()));
    },
  };
}

/** What an endpoint's page shows of its past. */
const shownRollouts = 20;
const shownEvents = 100;

/** How long a request that a person sends may take. */
const requestMilliseconds = 60_000;

async function sendRequest(
  url: string,
  token: string | null,
  { endpoint, body }: RequestParams,
): Promise<RequestAnswer> {
  const started = performance.now();
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body,
      signal: AbortSignal.timeout(requestMilliseconds),
    });
    const text = await response.text();
    return { status: response.status, body: text, milliseconds: performance.now() - started };
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new SlipwayError('endpointFailed', { endpoint, detail }, { cause: error });
  }
}
