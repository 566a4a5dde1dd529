import {
  type EndpointSettings,
  endpointSettings,
  type VersionChoice,
} from '../../protocol/endpointSettings.ts';
import { toSlipwayError } from '../../protocol/errors.ts';
import type { ScorerModelInput, TrafficSplit, TrafficSplitInput } from '../../protocol/scorer.ts';
import type { ProcessOptions } from './processOptions.ts';
import { leftVersions } from './scorerOrders.ts';
import type { Serving, Supervisor } from './supervisorTypes.ts';

/** What the settings of an endpoint are put into practice with. */
export interface SettingsSurroundings {
  /** Which version of a model a choice names; null when it names none. */
  readonly resolve: (model: string, choice: VersionChoice) => number | null;
  /** @throws SlipwayError why a version cannot be served. */
  readonly servable: (model: string, version: number) => ScorerModelInput;
  /** Absolute path. */
  readonly inferenceLog: string;
  /** Told what is left out because it cannot be served. */
  readonly warn: (sentence: string) => void;
}

/** What is not declared is run as if it were, with nothing said. */
const undeclared = endpointSettings.parse({});

/** How the scorers of an endpoint are run. */
function endpointOptions(settings: EndpointSettings | undefined, inferenceLog: string): ProcessOptions {
  const { runtime, limits, log, grpc, hosts } = settings ?? undeclared;
  return {
    processes: runtime.processes,
    grpcPort: grpc === undefined ? null : grpc === 'auto' ? 0 : grpc,
    options: {
      hosts: [...hosts],
      runtime: { threads: runtime.threads, batchRows: runtime.batchRows },
      limits: {
        bodyBytes: limits.body,
        requests: limits.requests,
        runMilliseconds: limits.run,
        loadMilliseconds: limits.load,
      },
      inferenceLog: log.enabled
        ? {
            file: inferenceLog,
            sample: log.sample / 100,
            redact: [...log.redact],
            keepMilliseconds: log.keep.age ?? null,
            keepBytes: log.keep.size,
          }
        : null,
    },
  };
}

/** Where a request carries its key, as the scorer is told. */
export function stickyOf(settings: EndpointSettings | undefined): TrafficSplit['sticky'] {
  const sticky = settings?.sticky;
  if (sticky === undefined) return null;
  if ('header' in sticky) return { from: 'header', name: sticky.header };
  return 'cookie' in sticky
    ? { from: 'cookie', name: sticky.cookie }
    : { from: 'parameter', name: sticky.parameter };
}

/** What hears the requests beside the stable version, if its version can be served. */
export function shadowOf(
  model: string,
  stableVersion: number,
  settings: EndpointSettings | undefined,
  { resolve, servable, warn }: SettingsSurroundings,
): TrafficSplit['shadow'] {
  if (settings?.shadow === undefined) return null;
  const version = resolve(model, settings.shadow.of);
  if (version === null || version === stableVersion) return null;
  try {
    servable(model, version);
    return { version, share: settings.shadow.share / 100 };
  } catch (error) {
    if (isUnread(error)) throw error;
    warn(`The shadow is left out: ${toSlipwayError(error).message}`);
    return null;
  }
}

/**
 * Everything that an endpoint serves.
 *
 * @param split how the requests for its own model are led; all versions in it are loaded.
 * @throws SlipwayError when a version of the split cannot be served. Other models that cannot are left out.
 */
export function servingOf(
  split: TrafficSplitInput,
  settings: EndpointSettings | undefined,
  surroundings: SettingsSurroundings,
): Serving {
  const { resolve, servable, inferenceLog, warn } = surroundings;
  const { model, variants, shadow } = split;
  const versions = new Set([...variants.map(({ version }) => version), ...(shadow ? [shadow.version] : [])]);
  const models = [...versions].map((version) => servable(model, version));
  const traffic = [split];
  for (const other of settings?.models ?? []) {
    try {
      const version = resolve(other.model, other.of);
      if (version === null) {
        warn(`The model "${other.model}" is left out: no version is ${JSON.stringify(other.of)}.`);
        continue;
      }
      if (other.model === model && versions.has(version)) continue;
      models.push(servable(other.model, version));
      if (traffic.some((known) => known.model === other.model)) continue;
      const salt = other.model;
      traffic.push({ model: other.model, salt, variants: [{ name: 'stable', version, share: 1 }] });
    } catch (error) {
      if (isUnread(error)) throw error;
      warn(`The model "${other.model}" is left out: ${toSlipwayError(error).message}`);
    }
  }
  return { models, traffic, ...endpointOptions(settings, inferenceLog) };
}

/** Whether it is not known yet if a version can be served: whoever asked tries again. */
function isUnread(error: unknown): boolean {
  return toSlipwayError(error).kind === 'pythonFilesUnread';
}

type Changing = Pick<Supervisor, 'load' | 'unload' | 'route'>;

/**
 * Brings running processes from what they serve to what is wanted, by commands: no request is lost. Versions of the
 * endpoint's own model that are not needed any more stay loaded, so that one can go back to them.
 */
export async function changeServing(supervisor: Changing, before: Serving, wanted: Serving): Promise<void> {
  const same = (one: ScorerModelInput, other: ScorerModelInput) =>
    one.name === other.name && one.version === other.version;
  const own = wanted.traffic[0]?.model;
  for (const model of wanted.models) {
    if (!before.models.some((known) => same(known, model))) await supervisor.load(model);
  }
  for (const split of wanted.traffic) {
    const known = before.traffic.find(({ model }) => model === split.model);
    if (JSON.stringify(known) !== JSON.stringify(split)) await supervisor.route(split);
  }
  for (const { name, version } of leftVersions(before, wanted)) {
    if (name !== own) await supervisor.unload(name, version);
  }
}
