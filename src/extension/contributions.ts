import { z } from 'zod';
import { stages } from '../protocol/registry.ts';

/**
 * The one table of what Slipway contributes to VS Code. Everything is registered through it, and
 * test/unit/contributions.test.ts shows that the manifest and its translations agree with it.
 */

export const category = 'Slipway';
export const viewContainer = 'slipway';

export const views = {
  experiments: 'slipway.experiments',
  models: 'slipway.models',
  endpoints: 'slipway.endpoints',
} as const;
export type ViewId = (typeof views)[keyof typeof views];

export const walkthrough = 'getStarted';

const folder = z.string().min(1);
const modelTarget = z.object({ folder, model: z.string().min(1), version: z.number().int().optional() });
const scoringTarget = modelTarget.required().extend({
  input: z.string().min(1),
  output: z.string().min(1),
  onlyPredictions: z.boolean(),
});

/**
 * What commands act on. Elements of the trees have these members too, so that a context menu passes them.
 * `folder` is the URI of the workspace folder as text.
 */
export const targets = {
  experiment: z.object({ folder, experimentId: z.string().min(1) }),
  run: z.object({ folder, runId: z.string().min(1) }),
  artifact: z.object({ folder, runId: z.string().min(1), path: z.string().min(1) }),
  /** Without `version`, the command asks for one or takes the likeliest. */
  model: modelTarget,
  promotion: modelTarget.extend({ stage: z.enum(stages).optional(), why: z.string().optional() }),
  endpoint: z.object({ folder, endpoint: z.string().min(1) }),
  /** A version to bring in at the endpoint of its model; with `endpoint` the version is asked for. */
  rollout: modelTarget.partial({ model: true }).extend({ endpoint: z.string().min(1).optional() }),
  /** A file to score, with what is known of it; the Explorer passes the file's URI. Paths are absolute. */
  scoring: z.union([
    z
      .object({ scheme: z.literal('file'), fsPath: z.string().min(1) })
      .transform(({ fsPath }): Partial<z.infer<typeof scoringTarget>> => ({ input: fsPath })),
    scoringTarget.partial(),
  ]),
  /** What to import, as an absolute path. */
  import: z.object({ folder, path: z.string().min(1), keepInSync: z.boolean().optional() }),
  node: z.object({ folder, id: z.string().min(1) }),
  /** Where to put the sample, as an absolute path; `open` false only copies it. */
  sample: z.object({ parent: z.string().min(1), open: z.boolean().optional() }),
} as const;

export type ExperimentTarget = z.infer<typeof targets.experiment>;
export type RunTarget = z.infer<typeof targets.run>;
export type ModelTarget = z.infer<typeof targets.model>;
export type ScoringTarget = z.infer<typeof targets.scoring>;
export type EndpointTarget = z.infer<typeof targets.endpoint>;
export type RolloutTarget = z.infer<typeof targets.rollout>;

interface CommandDefinition<Argument> {
  /** Checks what the command is called with; whoever calls it without gets a question instead. */
  readonly argument: z.ZodType<Argument>;
  /** A codicon, where the command is also a button. */
  readonly icon?: string;
  /** False hides it from the palette: it only makes sense on an element of a tree. */
  readonly inPalette: boolean;
  /** Starts or changes something, so it refuses in a workspace that is not trusted. */
  readonly needsTrust: boolean;
}

function command<Argument>(definition: CommandDefinition<Argument>): CommandDefinition<Argument> {
  return definition;
}

const nothing = z.unknown().transform(() => undefined);
const reads = { inPalette: true, needsTrust: false } as const;
const changes = { inPalette: true, needsTrust: true } as const;

export const commands = {
  'slipway.openRun': command({ argument: targets.run.optional(), icon: 'go-to-file', ...reads }),
  'slipway.openArtifact': command({ argument: targets.artifact, ...reads, inPalette: false }),
  'slipway.showChanges': command({ argument: targets.run.optional(), icon: 'diff', ...reads }),
  'slipway.copyRunId': command({ argument: targets.run.optional(), icon: 'copy', ...reads }),
  'slipway.setMainMetric': command({ argument: targets.experiment.optional(), ...changes }),
  'slipway.loadMoreRuns': command({ argument: targets.node, ...reads, inPalette: false }),
  'slipway.registerModel': command({ argument: targets.run.optional(), icon: 'tag', ...changes }),
  'slipway.promoteVersion': command({ argument: targets.promotion.optional(), icon: 'rocket', ...changes }),
  'slipway.startEndpoint': command({ argument: targets.model.optional(), icon: 'play', ...changes }),
  'slipway.convertToOnnx': command({ argument: targets.model.optional(), icon: 'arrow-swap', ...changes }),
  'slipway.scoreFile': command({ argument: targets.scoring.optional(), icon: 'table', ...changes }),
  'slipway.stopEndpoint': command({ argument: targets.endpoint.optional(), icon: 'debug-stop', ...changes }),
  'slipway.deleteEndpoint': command({ argument: targets.endpoint.optional(), icon: 'trash', ...changes }),
  'slipway.openEndpoint': command({ argument: targets.endpoint.optional(), icon: 'go-to-file', ...reads }),
  'slipway.copyEndpointAddress': command({ argument: targets.endpoint.optional(), icon: 'copy', ...reads }),
  'slipway.copyAsCurl': command({ argument: targets.endpoint.optional(), icon: 'terminal', ...reads }),
  'slipway.copyAsPython': command({ argument: targets.endpoint.optional(), icon: 'code', ...reads }),
  'slipway.copyAsTypeScript': command({ argument: targets.endpoint.optional(), icon: 'code', ...reads }),
  'slipway.openTryPage': command({ argument: targets.endpoint.optional(), icon: 'link-external', ...reads }),
  'slipway.showEndpointLog': command({ argument: targets.endpoint.optional(), icon: 'output', ...reads }),
  'slipway.showRequests': command({ argument: targets.endpoint.optional(), icon: 'list-flat', ...reads }),
  'slipway.exportRequests': command({ argument: targets.endpoint.optional(), icon: 'export', ...changes }),
  'slipway.replayRequests': command({ argument: targets.endpoint.optional(), icon: 'history', ...changes }),
  'slipway.startRollout': command({ argument: targets.rollout.optional(), icon: 'git-merge', ...changes }),
  'slipway.rollBackRollout': command({ argument: targets.endpoint.optional(), icon: 'discard', ...changes }),
  'slipway.promoteCandidate': command({ argument: targets.endpoint.optional(), icon: 'rocket', ...changes }),
  'slipway.pauseRollout': command({
    argument: targets.endpoint.optional(),
    icon: 'debug-pause',
    ...changes,
  }),
  'slipway.resumeRollout': command({
    argument: targets.endpoint.optional(),
    icon: 'debug-continue',
    ...changes,
  }),
  'slipway.loadTest': command({ argument: targets.endpoint.optional(), icon: 'dashboard', ...changes }),
  'slipway.tuneEndpoint': command({ argument: targets.endpoint.optional(), icon: 'settings', ...changes }),
  'slipway.sendTestRequest': command({ argument: targets.endpoint.optional(), icon: 'send', ...changes }),
  'slipway.showDrift': command({ argument: targets.endpoint.optional(), icon: 'graph', ...changes }),
  'slipway.importRuns': command({ argument: targets.import.optional(), icon: 'cloud-download', ...changes }),
  'slipway.stopSync': command({ argument: nothing, ...changes }),
  'slipway.exportRun': command({ argument: targets.run.optional(), ...changes }),
  'slipway.exportExperiment': command({ argument: targets.experiment.optional(), ...changes }),
  'slipway.deleteRun': command({ argument: targets.run.optional(), icon: 'trash', ...changes }),
  'slipway.deleteExperiment': command({ argument: targets.experiment.optional(), icon: 'trash', ...changes }),
  'slipway.restoreDeleted': command({ argument: nothing, icon: 'discard', ...changes }),
  'slipway.deletePermanently': command({ argument: nothing, ...changes }),
  'slipway.showDiskUsage': command({ argument: nothing, ...reads }),
  'slipway.backUpStore': command({ argument: nothing, ...changes }),
  'slipway.restoreStore': command({ argument: nothing, ...changes }),
  'slipway.checkStore': command({ argument: nothing, ...changes }),
  'slipway.openSampleProject': command({ argument: targets.sample.optional(), ...reads }),
  'slipway.refresh': command({ argument: nothing, icon: 'refresh', ...reads }),
  'slipway.restartEngine': command({ argument: nothing, icon: 'debug-restart', ...reads }),
  'slipway.showLog': command({ argument: nothing, icon: 'output', ...reads }),
} as const;
export type CommandId = keyof typeof commands;
export type CommandArgument<Id extends CommandId> = z.infer<(typeof commands)[Id]['argument']>;

interface SettingDefinition<Value> {
  readonly value: z.ZodType<Value>;
  readonly default: Value;
  /** A workspace that is not trusted cannot set it. */
  readonly restricted: boolean;
}

function setting<Value>(definition: SettingDefinition<Value>): SettingDefinition<Value> {
  return definition;
}

export const settings = {
  /** The Node that runs engine and scorers instead of VS Code's own; empty for VS Code's own. */
  'slipway.nodePath': setting({ value: z.string(), default: '', restricted: true }),
  /** The interpreter that loads Python models: a path or a name; empty takes the editor's or the run's own. */
  'slipway.python': setting({ value: z.string(), default: '', restricted: true }),
  'slipway.engine.autoStart': setting({ value: z.boolean(), default: true, restricted: false }),
  'slipway.provenance.enabled': setting({ value: z.boolean(), default: true, restricted: false }),
  'slipway.experiments.pageSize': setting({
    value: z.number().int().min(5).max(1000),
    default: 50,
    restricted: false,
  }),
} as const;
export type SettingId = keyof typeof settings;
export type SettingValue<Id extends SettingId> = z.infer<(typeof settings)[Id]['value']>;

/** Context keys with the value each has before it is first set: neither `has` nor `no` holds of what is not known yet. */
export const contextKeys = {
  'slipway.hasRuns': false,
  'slipway.hasModels': false,
  'slipway.hasEndpoints': false,
  'slipway.noRuns': false,
  'slipway.noModels': false,
  'slipway.noEndpoints': false,
  /** The folder is not trusted. VS Code's own key says so of every folder for a moment when a window opens. */
  'slipway.restricted': false,
} as const satisfies Record<string, boolean>;
export type ContextKey = keyof typeof contextKeys;

/** What kind of element a tree row is, for the `viewItem` of menus. */
export const viewItems = [
  'folder',
  'experiment',
  'run',
  'runWithModel',
  'runPart',
  'artifactFile',
  'artifactFolder',
  'more',
  'model',
  'version',
  'versionWithRun',
  'endpointReady',
  /** It is ready, and a version comes in. */
  'endpointRollout',
  /** The rollout waits for the person. */
  'endpointPaused',
  'endpointStarting',
  'endpointStopped',
  'endpointFailed',
  'variant',
] as const;
export type ViewItem = (typeof viewItems)[number];
