/**
 * What the details of errors say, in plain English with named places: the part of an error's text that depends on what
 * was met; and the warnings of models. The editor looks the same texts up in its translations; the log, the command line
 * and the answers over HTTP take them as they are, which is why those of the registry and of tracking are MLflow's own
 * words.
 *
 * What others say, such as the operating system, the runtime or a parser, is no detail of these but a plain text.
 */
export const errorDetails = {
  // Of what is asked for and not there.
  noEndpoint: 'There is no endpoint "{endpoint}".',
  noModelAmong: 'There is no model "{model}". There are {models}.',
  noModelAtAll: 'There is no model "{model}". No model is registered.',
  noVersionAmong: 'There is no version "{name}" of the model "{model}". It has {versions}.',
  noVersionAtAll: 'There is no version "{name}" of the model "{model}". It has no versions.',
  noVersionInStageYet: 'No version of "{model}" is in the stage {stage} yet.',
  noVersionOfAliasYet: 'No version of "{model}" has the alias "{alias}" yet.',
  noVersionOfNumberYet: 'There is no version {version} of "{model}" yet.',
  versionNotLoaded: 'Version {version} of "{model}" is not loaded.',
  noRegisteredModel: 'Registered Model with name={model} not found',
  noModelVersion: 'Model Version (name={model}, version={version}) not found',
  noLatestVersion: 'Latest version not found for model {model}.',
  noVersionOfStage: 'No version of Registered Model {model} has stage {stage}.',
  noVersionOfAlias: 'No version of Registered Model {model} has alias {alias}.',
  noAlias: 'Registered model alias {alias} not found.',
  noExperiment: 'No Experiment with id={experiment} exists',
  noExperimentOfName: "Could not find experiment with name '{name}'",
  noRun: 'Run with id={run} not found',
  noLoggedModel: "Logged model with ID '{loggedModel}' not found.",
  noArtifact: "No such artifact: '{path}'",
  noArtifactFile: 'The run has no artifact file "{path}".',
  noConversion: 'That conversion is not there any more.',

  // Of names that the registry refuses.
  modelExists: 'Registered Model (name={model}) already exists.',
  nameTakenByPrompt: "The name '{name}' is taken by a prompt.",
  modelNameCharacters: "Invalid model name '{name}'. Names cannot contain '/' or ':'.",
  aliasCharacters:
    "Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-).",
  aliasLatest: "'latest' alias name (case insensitive) is reserved.",
  aliasReserved: "Version alias name '{alias}' is reserved.",
  runMadeNoSuchModel: 'The logged model {loggedModel} was not made by the run {run}.',
  versionFilesElsewhere: 'The files of version {version} of "{model}" lie in {location}, not in this store.',

  // Of settings files.
  settingAt: '{setting}: {problem}',
  settingGiven: '{problem}, not {given}',
  noSuchSetting: 'there is no setting of this name here',
  wrongType: 'expected {expected}, received {received}',
  typeNumber: 'number',
  typeInteger: 'integer',
  typeString: 'string',
  typeBoolean: 'boolean',
  typeArray: 'array',
  typeObject: 'object',
  typeNothing: 'nothing',
  expectedOneOf: 'expected one of {choices}',
  expectedNumber: 'expected number to be {comparison}',
  expectedCharacters: 'expected string to have {comparison} characters',
  expectedItems: 'expected array to have {comparison} items',
  expectedForms: 'expected {first}, {second} or {third}',
  expectedPort: 'expected a port from 1 to 65535, or auto',
  expectedDuration: 'expected a duration such as 500ms, 30s, 10m, 2h or 7d',
  expectedHold: 'expected a duration such as 30s, or confirm',
  expectedTimeLimit: 'expected at least 1ms, and no more than 24d',
  expectedInterval: 'expected at least 50ms',
  expectedSize: 'expected a size such as 500KB, 64MB or 2GB',
  expectedHostName: 'expected a host name such as models.example.com, without scheme, port and path',
  boundNotTaken: '{metric} takes {bounds}, not {bound}',
  boundNeeded: '{metric} needs {bound}',
  boundOfTwoNeeded: '{metric} needs {one} or {other}',
  agreementNeedsShadow:
    'agreement is known of the strategy shadow only: others ask each version something else',

  // Of files that are scored.
  inputsNotColumns: 'its inputs are no columns of a table ({inputs}).',
  inputOfShape: '"{name}" of shape [{shape}]',
  anySize: 'any',
  unknownShape: 'unknown',
  columnMissing: 'the column {column} is missing. It has {there}.',
  columnsMissing: 'the columns {columns} are missing. It has {there}.',
  columnHolds: 'the column "{column}" holds {type}, but the model takes {expected}.',
  columnCount:
    'the model takes {expected} columns in their order, as it does not name them, but there are {found}: {there}.',
  columnValue: 'column "{column}": expected {expected}, got {given}',
  noValue: 'no value',
  aNumber: 'a number ({datatype})',
  trueOrFalse: 'true or false (BOOL)',
  textWithoutNul: 'a string without NUL characters (BYTES)',
  largeInteger: 'an integer (INT64; beyond 2^53 as a string of digits)',
  largeNaturalNumber: 'an integer that is not negative (UINT64; beyond 2^53 as a string of digits)',
  integerBetween: 'an integer from {least} to {most} ({datatype})',
  otherVersionBegun: 'it was begun with version {version} of "{model}"',
  otherModelFile: "the model's file is another one now",
  otherInputBegun: 'it was begun with the input {path}',
  inputChangedSince: 'the input has changed since then',
  otherOptionsBegun: 'it was begun with other options',
  inputChangedMeanwhile: 'the input has changed while it was scored',
  rowsScored: '{rows} rows were scored, but the input has {expected}',
  outputMissing: 'it gave no "{name}"',
  outputRows: 'it gave {given} rows of "{name}" for {rows} rows',
  outputOneValue: 'it gave one value of "{name}" for {rows} rows',
  outputWidth: 'it gave rows of {width} elements for "{name}"',

  // Of models, as warnings.
  outputLeftOut:
    'The output "{name}" of the model is {type}, which is not supported by this runtime, and is left out of answers.',
  inputsFixed:
    "The runtime always takes the values in the model's file for {inputs}; a request cannot replace them.",
  exampleUnusable: 'The input example that was logged with the model cannot be used: {why}',
  exampleRefused: 'The model refused the example request: {why}',
  signatureColumns: "The model's signature names columns ({columns} in all), but its inputs take {taken}.",
  signatureNeedsTable:
    "The model's signature names columns ({columns} in all), but its inputs take no table.",
  tensorOf: 'a tensor of {element}',
  sparseTensor: 'a sparse tensor',
  optionalValue: 'an optional value',
  valueOfUnknownType: 'a value of unknown type',
  sequence: 'a sequence',
  map: 'a map',

  // Of files.
  noSuchFile: 'there is no such file',
  fileEmpty: 'it is empty',
  headerEndless: 'its first line has no end',
  columnTwice: 'the column "{column}" appears twice',
  columnsDifferInCase: 'the columns "{column}" and "{other}" differ only in case',
  noFolder: 'there is no folder {folder}',
  isFolder: 'it is a folder',
  modelPartMissing: 'its file {path} is missing',
  modelPartElsewhere: 'its file {path} lies elsewhere',

  // Of processes.
  loadTookTooLong: 'it took longer than {seconds} s to load',
  scorerEnded: 'its process has ended',
  scorerEndedWithCode: 'its process ended with code {code}',
  scorerEndedBySignal: 'its process was ended by {signal}',
  endedSaying: '{end} ({last})',
  noWorkspaceYet: 'no workspace was opened yet',
  storeBeingReplaced: 'its store is being replaced',
  interpreterMissing: '{python} is not there',
  noInterpreterFound: 'there is no python3 on the search path',
  interpreterSilent: '{python} cannot be asked: {why}',
} as const satisfies Record<string, string>;

export type DetailKind = keyof typeof errorDetails;

/** A text of the table with its values. */
export interface Detail {
  readonly kind: DetailKind;
  readonly values: DetailValues;
}

/** Fills a place of a text. A list is written with commas. */
export type DetailValue = string | number | Detail | readonly (string | number | Detail)[];
export type DetailValues = Readonly<Record<string, DetailValue>>;

/** Gives a text of the table, or of the errors, in some language, with its places filled. */
export type Translate = (text: string, values: Record<string, string | number>) => string;

export function detail(kind: DetailKind, values: DetailValues = {}): Detail {
  return { kind, values };
}

/** Puts a value into words. */
export function worded(value: DetailValue, translate: Translate = fill): string | number {
  if (typeof value !== 'object') return value;
  if (!('kind' in value)) return value.map((one) => worded(one, translate)).join(', ');
  return translate(errorDetails[value.kind], wordedAll(value.values, translate));
}

/** Puts all values of an error or a detail into words. */
export function wordedAll(values: DetailValues, translate: Translate): Record<string, string | number> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, worded(value, translate)]));
}

/** Replaces each `{name}` of a template with its value; a name without a value stays as it is. */
export function fill(template: string, values: DetailValues): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(worded(values[name] ?? place)));
}

/** Whether something fills a place: of details only those whose kind this Slipway knows. */
export function isDetailValue(value: unknown): value is DetailValue {
  if (typeof value === 'string' || typeof value === 'number') return true;
  return Array.isArray(value)
    ? value.every((one) => !Array.isArray(one) && isDetailValue(one))
    : isDetail(value);
}

export function isDetail(value: unknown): value is Detail {
  if (typeof value !== 'object' || value === null || !('kind' in value && 'values' in value)) return false;
  const { kind, values } = value;
  return (
    typeof kind === 'string' &&
    Object.hasOwn(errorDetails, kind) &&
    typeof values === 'object' &&
    values !== null &&
    Object.values(values).every(isDetailValue)
  );
}
