import { SlipwayError, toErrorData } from '../../protocol/errors.ts';
import type { EndpointSummary } from '../../protocol/serving.ts';
import type { Changes } from '../changes.ts';
import type { Database } from '../database/connection.ts';
import { inferenceLogFile, type StoreLayout } from '../layout.ts';
import type { RegistryService } from '../registry/service.ts';
import { moveInferenceLog } from './inferenceLogMove.ts';
import { startScorerProcess } from './scorerProcess.ts';
import { type ServableModel, servableModel } from './servableModel.ts';
import { createEndpointStore } from './store.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';
import type { EndpointDefinition, RequestAnswer, RequestParams, ServingService } from './types.ts';

export type { ServingService } from './types.ts';

export interface ServingDependencies {
  readonly database: Database;
  readonly registry: Pick<RegistryService, 'modelFolder' | 'version'>;
  readonly layout: StoreLayout;
  readonly changes: Changes;
  /** The address that endpoints listen on; loopback unless the person asked for another. */
  readonly host: string;
  /** What endpoints ask for; null asks for nothing. */
  readonly token: string | null;
  /** Entry file of the scorer process. */
  readonly script: string;
}

/** The endpoints of one store. Nothing runs before `resume` or `start`. */
export function createServingService(dependencies: ServingDependencies): ServingService {
  const { database, registry, layout, changes, host, token, script } = dependencies;
  const store = createEndpointStore(database);
  const supervisors = new Map<string, Supervisor>();
  /** What the registry set off; whoever starts something waits for it. */
  let following: Promise<void> = Promise.resolve();
  const follow = (work: () => Promise<void>) => {
    following = following.then(work).catch((error: unknown) => {
      changes.log('error', toErrorData(error).details ?? String(error));
    });
  };

  const supervise = (definition: EndpointDefinition): Supervisor => {
    const { name } = definition;
    const known = supervisors.get(name);
    if (known) return known;
    const supervisor: Supervisor = createSupervisor({
      definition,
      launch: (model, port, listener) =>
        startScorerProcess(
          script,
          { endpoint: name, model, host, port, token, inferenceLog: inferenceLogFile(layout, name) },
          listener,
        ),
      // One whose endpoint goes by another name by now must not bring the old one back.
      save: (changed) => {
        if (supervisors.get(name) === supervisor) store.save(changed);
      },
      changed: () => changes.serving(name),
      log: changes.log,
      host,
    });
    supervisors.set(name, supervisor);
    return supervisor;
  };
  const find = (name: string): Supervisor => {
    const definition = store.find(name);
    if (!definition) throw new SlipwayError('notFound', { detail: `There is no endpoint "${name}".` });
    return supervise(definition);
  };
  const findReady = (name: string) => {
    const supervisor = find(name);
    const summary = supervisor.summary();
    const ready = supervisor.ready();
    if (!ready || summary.url === null) throw new SlipwayError('endpointNotReady', { endpoint: name });
    return { summary, ready, inferUrl: inferUrl(summary, summary.url) };
  };
  /** @throws SlipwayError `notFound` or `versionNotServable`. */
  const servable = (modelName: string, modelVersion: number): ServableModel => {
    const { name, version } = registry.version(modelName, modelVersion);
    return servableModel(registry.modelFolder(name, version), name, version);
  };

  return {
    endpoints: () => store.all().map((definition) => supervise(definition).summary()),
    endpoint: (name) => find(name).summary(),
    async start({ modelName, modelVersion, port }) {
      await following;
      const model = servable(modelName, modelVersion);
      const supervisor = supervise(
        store.find(modelName) ?? { name: modelName, modelName, modelVersion, enabled: false, port: null },
      );
      await supervisor.start(model, port);
      return supervisor.summary();
    },
    async stop(name) {
      const supervisor = find(name);
      await supervisor.stop({ enabled: false });
      return supervisor.summary();
    },
    describe(name) {
      const { summary, ready, inferUrl } = findReady(name);
      const { inputs, outputs, exampleRequest } = ready;
      return { endpoint: summary, inputs, outputs, inferUrl, exampleRequest, token };
    },
    async sendRequest(params) {
      return await sendRequest(findReady(params.endpoint).inferUrl, token, params);
    },
    modelRenamed(name, newName) {
      if (!store.find(name)) return;
      const followed = [supervisors.get(name), supervisors.get(newName)];
      supervisors.delete(name);
      supervisors.delete(newName);
      store.rename(name, newName);
      changes.serving(name);
      changes.serving(newName);
      follow(async () => {
        await Promise.all(followed.map((supervisor) => supervisor?.stop({ enabled: false })));
        moveInferenceLog(inferenceLogFile(layout, name), inferenceLogFile(layout, newName));
        changes.log('info', `${name}: the model was renamed, and its endpoint is now ${newName}.`);
        const renamed = store.find(newName);
        if (renamed?.enabled) resume(supervise(renamed), renamed, servable);
      });
    },
    modelDeleted(name, version) {
      const definition = store.find(name);
      if (!definition || (version !== null && definition.modelVersion !== version)) return;
      const supervisor = supervise(definition);
      if (!definition.enabled && supervisor.summary().state === 'stopped') return;
      const what = version === null ? 'the model' : `version ${version}`;
      changes.log('warning', `${name}: ${what} was deleted, so the endpoint is stopped.`);
      follow(() => supervisor.stop({ enabled: false }));
    },
    resume() {
      for (const definition of store.all()) {
        if (definition.enabled) resume(supervise(definition), definition, servable);
      }
    },
    async close() {
      await following;
      await Promise.all([...supervisors.values()].map((supervisor) => supervisor.stop({ enabled: true })));
    },
  };
}

function resume(
  supervisor: Supervisor,
  { modelName, modelVersion }: EndpointDefinition,
  servable: (name: string, version: number) => ServableModel,
): void {
  try {
    // What goes wrong is in the endpoint's state, and nobody waits for it here.
    supervisor.start(servable(modelName, modelVersion), null).catch(() => undefined);
  } catch (error) {
    supervisor.fail(error);
  }
}

function inferUrl({ modelName }: EndpointSummary, url: string): string {
  return `${url}/v2/models/${encodeURIComponent(modelName)}/infer`;
}

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
