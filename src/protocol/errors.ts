import { type DetailValues, fill } from './errorDetails.ts';

/**
 * Every failure that Slipway foresees: its kind, what happened, and what to do about it.
 *
 * `{name}` stands for a value of the error. The texts are English and double as translation keys of
 * `l10n/bundle.l10n.*.json`. `category` is what callers may branch on and what HTTP statuses derive from.
 */
export const errorCatalogue = {
  invalidParameter: {
    category: 'invalid',
    message: '{detail}',
    remedy: '',
  },
  notFound: {
    category: 'notFound',
    message: '{detail}',
    remedy: '',
  },
  alreadyExists: {
    category: 'alreadyExists',
    message: '{detail}',
    remedy: '',
  },
  notImplemented: {
    category: 'notImplemented',
    message: '{detail}',
    remedy: '',
  },
  internal: {
    category: 'internal',
    message: 'Something unforeseen went wrong: {detail}',
    remedy: 'Open the output channel "Slipway" for the details, and report it.',
  },
  storeTooNew: {
    category: 'unavailable',
    message: 'The store {path} was written by a newer Slipway (schema {found}, this one knows {known}).',
    remedy: 'Update Slipway, then open the workspace again. Nothing was changed.',
  },
  storeUnreadable: {
    category: 'unavailable',
    message: 'The store {path} cannot be opened: {detail}',
    remedy: 'Check that the folder can be written and that the disk is not full.',
  },
  diskFull: {
    category: 'unavailable',
    message: 'The disk is full, so nothing more can be recorded in {path}.',
    remedy: 'Free some space, then try again. What was recorded before is safe.',
  },
  storeNotWritable: {
    category: 'unavailable',
    message: 'Nothing can be recorded in {path}: {detail}',
    remedy: 'Make the folder writable, then try again. What was recorded before is safe.',
  },
  storeDamaged: {
    category: 'unavailable',
    message: 'The store {path} is damaged: {detail}',
    remedy: 'Restore a backup. The damaged store is kept beside it.',
  },
  storeBusy: {
    category: 'unavailable',
    message: 'Another process kept the store {path} busy for too long.',
    remedy: 'Wait until it has finished, then try again.',
  },
  storeInUse: {
    category: 'invalid',
    message: 'Another Slipway has the store {path} open, so it cannot be replaced.',
    remedy: 'Close the other window of this folder, or end "slipway up", then try again.',
  },
  noStore: {
    category: 'notFound',
    message: 'There is no Slipway store in {path}.',
    remedy: 'Name the folder that you train in with --workspace.',
  },
  noBackup: {
    category: 'invalid',
    message: 'There is no usable backup of a store in {path}: {detail}',
    remedy: 'Choose a folder or file that Slipway wrote as a backup.',
  },
  backupFailed: {
    category: 'unavailable',
    message: 'The backup {path} could not be written: {detail}',
    remedy: 'Choose a folder with more space that can be written to. The store is unharmed.',
  },
  runUsedByVersion: {
    category: 'invalid',
    message: 'The run "{run}" is kept: version {version} of "{model}" was made from it.',
    remedy: 'Delete that version first.',
  },
  loggedModelUsedByVersion: {
    category: 'invalid',
    message: 'The logged model "{loggedModel}" is kept: version {version} of "{model}" was made from it.',
    remedy: 'Delete that version first.',
  },
  runUsedByRun: {
    category: 'invalid',
    message: 'The run "{run}" is kept: the run "{other}" uses its files.',
    remedy: 'Delete that run first.',
  },
  loggedModelUsedByRun: {
    category: 'invalid',
    message: 'The logged model "{loggedModel}" is kept: the run "{run}" uses it.',
    remedy: 'Delete that run first.',
  },
  folderShared: {
    category: 'invalid',
    message: '"{name}" is kept: others keep their files in its folder {path}, too.',
    remedy: '',
  },
  experimentStillNeeded: {
    category: 'invalid',
    message: 'The experiment "{experiment}" is kept, because something in it is kept.',
    remedy: '',
  },
  defaultExperimentKept: {
    category: 'invalid',
    message: 'The experiment "{experiment}" itself is kept: runs that name no experiment go there.',
    remedy: '',
  },
  artifactsElsewhere: {
    category: 'invalid',
    message: 'The files of "{name}" do not lie in this store and are left where they are: {location}',
    remedy: 'Delete them there.',
  },
  folderNotRemoved: {
    category: 'unavailable',
    message: 'The folder {path} could not be removed: {detail}',
    remedy: 'Close what uses it, then delete permanently once more.',
  },
  danglingRows: {
    category: 'invalid',
    message: 'The table {table} has rows that belong to nothing: {count}.',
    remedy: 'Restore a backup from before.',
  },
  metricSummaryWrong: {
    category: 'invalid',
    message: 'The metric "{metric}" of the run {run} does not show its last point, or not how many it has.',
    remedy: 'Restore a backup from before.',
  },
  modelFilesMissing: {
    category: 'invalid',
    message: 'The files of the logged model "{loggedModel}" are not there: {location}',
    remedy: 'Restore a backup with artifacts, or delete the model.',
  },
  versionFilesMissing: {
    category: 'invalid',
    message: 'The files of version {version} of "{model}" are not there: {location}',
    remedy: 'Restore a backup with artifacts, or delete the version.',
  },
  versionRunMissing: {
    category: 'invalid',
    message: 'Version {version} of "{model}" says that it was made by a run that is not there: {run}',
    remedy: 'Restore a backup from before if you need its lineage.',
  },
  engineStopped: {
    category: 'unavailable',
    message: 'The Slipway engine is not running: {detail}',
    remedy: 'Run "Slipway: Restart Engine".',
  },
  workspaceUntrusted: {
    category: 'denied',
    message: 'This workspace is not trusted, so Slipway starts nothing in it.',
    remedy: 'Trust the workspace, then try again.',
  },
  noWorkspaceFolder: {
    category: 'unavailable',
    message: 'Slipway keeps its store in a workspace folder, and none is open.',
    remedy: 'Open a folder first.',
  },
  runHasNoModel: {
    category: 'invalid',
    message: 'The run "{run}" has logged no model, so there is nothing to register.',
    remedy: 'Log one in the training script, for example with mlflow.onnx.log_model.',
  },
  versionNotServable: {
    category: 'invalid',
    message: 'Version {version} of "{model}" has no ONNX model in it ({flavors}), so it cannot be served.',
    remedy: 'Log the model with mlflow.onnx.log_model and register that version.',
  },
  pythonNotPackaged: {
    category: 'invalid',
    message:
      'Version {version} of "{model}" runs only in Python, which a package does not bring, so it cannot be packaged.',
    remedy: 'Convert it with "Convert to ONNX…" in the editor, then package the version that this registers.',
  },
  modelUnreadable: {
    category: 'invalid',
    message: 'The ONNX model of version {version} of "{model}" cannot be loaded: {detail}',
    remedy: 'Export the model again, then register the new version.',
  },
  modelUnsupported: {
    category: 'invalid',
    message: 'Version {version} of "{model}" is not supported by this runtime: {detail}',
    remedy: 'Export the model with other types or an older opset, then register the new version.',
  },
  pythonModelUnreadable: {
    category: 'invalid',
    message: 'Python cannot load version {version} of "{model}": {detail}',
    remedy:
      'Check that the interpreter has what the model was logged with; "slipway.python" names another one.',
  },
  pythonConsentNeeded: {
    category: 'denied',
    message:
      'Version {version} of "{model}" is a Python model: loading it runs the code that was logged with it, and nobody has allowed that yet ({folder}).',
    remedy: 'Serve it from the editor and allow it there, or name --allow-python on the command line.',
  },
  pythonFilesUnread: {
    category: 'unavailable',
    message:
      'Version {version} of "{model}" is a Python model with large files, which are read first to see whether they are allowed ({folder}).',
    remedy: 'Try again in a moment.',
  },
  pythonNotFound: {
    category: 'invalid',
    message: 'There is no Python interpreter to run version {version} of "{model}" with: {detail}',
    remedy: 'Choose one in the setting "slipway.python".',
  },
  pythonPackagesMissing: {
    category: 'invalid',
    message: 'The interpreter {python} lacks what version {version} of "{model}" needs: {packages}',
    remedy: 'Install it with: {command}',
  },
  notConvertible: {
    category: 'invalid',
    message: 'Version {version} of "{model}" cannot be converted to ONNX: it is {flavors}.',
    remedy: 'Choose a version of scikit-learn, XGBoost or LightGBM.',
  },
  conversionFailed: {
    category: 'invalid',
    message: 'Version {version} of "{model}" could not be converted to ONNX: {detail}',
    remedy: 'Serve it in Python instead; not every model has an ONNX form.',
  },
  portTaken: {
    category: 'unavailable',
    message: 'The endpoint did not start: port {port} is taken by another program.',
    remedy: 'Use a free port.',
  },
  addressTaken: {
    category: 'unavailable',
    message: 'Slipway cannot listen on {host}: port {port} is taken by another program.',
    remedy: 'Use a free port.',
  },
  endpointFailed: {
    category: 'unavailable',
    message: 'The endpoint "{endpoint}" stopped: {detail}',
    remedy: 'Start it again; the output channel "Slipway" has the details.',
  },
  endpointNameTaken: {
    category: 'alreadyExists',
    message: 'An endpoint of the name "{endpoint}" serves the model "{model}" already.',
    remedy: 'Give that endpoint another name in slipway.yaml, or declare one of another name for this model.',
  },
  endpointDeclared: {
    category: 'invalid',
    message: 'The endpoint "{endpoint}" is declared in {file}, so it is not deleted: it would come back.',
    remedy: 'Take it out of that file, then delete it.',
  },
  endpointNotReady: {
    category: 'unavailable',
    message: 'The endpoint "{endpoint}" is not running.',
    remedy: 'Start it first.',
  },
  settingsInvalid: {
    category: 'invalid',
    message: '{file}, line {line}, column {column}: {detail}',
    remedy: 'Correct the file. Until then the settings that were read last stay in force.',
  },
  settingsNotWritten: {
    category: 'invalid',
    message: '{file} has an error in line {line}, column {column}, so nothing was written into it: {detail}',
    remedy: 'Correct the file, then write the choice again.',
  },
  settingsHoldNoEndpoints: {
    category: 'invalid',
    message:
      'Under "endpoints" in {file} there are no names of endpoints with their settings, so nothing was written into it.',
    remedy: 'Correct the file, then write the choice again.',
  },
  rolloutUnderWay: {
    category: 'invalid',
    message: 'Version {version} is being brought into the endpoint "{endpoint}" already.',
    remedy: 'Promote it or roll it back first.',
  },
  versionIsStable: {
    category: 'invalid',
    message: 'Version {version} is the stable version of "{endpoint}" already.',
    remedy: 'Choose another version.',
  },
  noRollout: {
    category: 'invalid',
    message: 'The endpoint "{endpoint}" has no rollout of which this can be decided.',
    remedy: 'Open its page to see how far its rollouts are.',
  },
  loadTestRefused: {
    category: 'invalid',
    message: 'The endpoint "{endpoint}" refused the request of the load test with status {status}: {detail}',
    remedy: 'Choose a request that it answers.',
  },
  scoreOutputTaken: {
    category: 'alreadyExists',
    message: 'The file {path} is there already.',
    remedy: 'Choose another name, or have it replaced (--force).',
  },
  scoreOutputIsInput: {
    category: 'invalid',
    message: 'The predictions cannot be written over the file {path} that is scored.',
    remedy: 'Choose another name for the output.',
  },
  scoreFormatUnknown: {
    category: 'invalid',
    message: 'The format of {path} cannot be told from its name.',
    remedy:
      'Choose a name that ends in one of {endings} (text also with .gz), or name the format (--format, --output-format).',
  },
  scoreInputUnsuitable: {
    category: 'invalid',
    message: 'The file {path} does not fit the model: {detail}',
    remedy: 'Nothing was written. Choose a file with the columns that the model takes.',
  },
  scoreRowRefused: {
    category: 'invalid',
    message: 'Row {row} of {path} cannot be scored: {detail}',
    remedy: 'Mend that row (the header is not counted), then score the file anew (--restart).',
  },
  scoreFailed: {
    category: 'invalid',
    message: 'The model cannot score into {path}: {detail}',
    remedy: 'What was scored before is kept; score the file again to go on from there.',
  },
  scorePartialDiffers: {
    category: 'invalid',
    message: 'What an earlier scoring has left for {path} does not fit: {detail}.',
    remedy: 'Start anew (--restart), or choose another output.',
  },
  scoreRunning: {
    category: 'alreadyExists',
    message: 'Another scoring writes {path} at the moment.',
    remedy: 'Wait until it has ended, or choose another output.',
  },
  scoreWriteFailed: {
    category: 'unavailable',
    message: 'The scores cannot be written to {path}: {detail}',
    remedy:
      'Choose a folder that can be written to. What was scored before is kept; score the file again to go on from there.',
  },
  noReferenceData: {
    category: 'invalid',
    message: 'The run behind "{endpoint}" names no training data that can be read here.',
    remedy: 'Log it with mlflow.log_input, or choose a CSV or Parquet file.',
  },
  noLoggedRequests: {
    category: 'invalid',
    message: 'The endpoint "{endpoint}" logged no requests in this time window.',
    remedy: 'Send it some requests, or choose a longer window.',
  },
  inferenceLogUnreadable: {
    category: 'unavailable',
    message: 'The inference log {path} cannot be read: {detail}',
    remedy:
      'Start the endpoint, which begins an older log anew. If it is damaged, stop the endpoint and move the file away; a new one is begun then.',
  },
  exportFormatUnknown: {
    category: 'invalid',
    message: 'The name of {path} ends in no format that requests can be written in.',
    remedy: 'Choose a name that ends in one of {endings}.',
  },
  requestsNotWritten: {
    category: 'unavailable',
    message: 'The requests cannot be written to {path}: {detail}',
    remedy: 'Choose a folder that can be written to, then export them again.',
  },
  dataUnreadable: {
    category: 'invalid',
    message: 'The file {path} cannot be read as a table: {detail}',
    remedy: 'Choose a CSV or Parquet file with a header.',
  },
  noSharedColumns: {
    category: 'invalid',
    message: 'The reference data and the logged requests have no column in common.',
    remedy: 'Choose the file that the model was trained on. Its columns must be named like the model inputs.',
  },
  nothingToImport: {
    category: 'invalid',
    message: 'There is nothing in {path} that Slipway can import.',
    remedy:
      'Choose an mlruns folder, an mlflow.db file, a CSV file, or a folder of TensorBoard, Weights & Biases or DVC.',
  },
  importUnreadable: {
    category: 'invalid',
    message: '{path} cannot be imported: {detail}',
    remedy: 'Check that it is there and may be read, then import again. What was imported before is kept.',
  },
  importRunning: {
    category: 'alreadyExists',
    message: '{path} is being imported already.',
    remedy: 'Wait until that is done, or stop keeping it in sync.',
  },
  tooManyWatches: {
    category: 'unavailable',
    message: 'The system does not let Slipway watch more folders, so {path} is not kept in sync.',
    remedy:
      'Raise the limit (on Linux fs.inotify.max_user_watches), or import again when there is something new.',
  },
  exportFailed: {
    category: 'invalid',
    message: 'The export to {path} could not be written: {detail}',
    remedy: 'Choose a folder that can be written to.',
  },
  exportFolderTaken: {
    category: 'alreadyExists',
    message: 'The folder {folder} has the run {run} already.',
    remedy: 'Choose another folder.',
  },
  packageFolderTaken: {
    category: 'alreadyExists',
    message: 'There is something in {folder} already.',
    remedy: 'Choose another folder, or replace what is there with --force.',
  },
  packageFailed: {
    category: 'unavailable',
    message: 'The package {folder} could not be written: {detail}',
    remedy: 'Choose a folder with more space that can be written to.',
  },
  platformMissing: {
    category: 'invalid',
    message: 'This Slipway holds the native modules of {own}, not those of {platform}.',
    remedy:
      'Make the package on a machine of that kind, or leave --platform out: the Dockerfile then fetches what it needs.',
  },
  packageUnusable: {
    category: 'invalid',
    message: 'The package cannot run: {detail}.',
    remedy: 'Mend what is named, or make the package anew with "slipway package".',
  },
  selfTestFailed: {
    category: 'invalid',
    message: 'The package is not sound: {detail}.',
    remedy: 'Make it anew with "slipway package".',
  },
  cancelled: {
    category: 'cancelled',
    message: 'Cancelled.',
    remedy: '',
  },
} as const satisfies Record<string, ErrorDescription>;

/** What callers may branch on. */
export type ErrorCategory =
  | 'invalid'
  | 'notFound'
  | 'alreadyExists'
  | 'denied'
  | 'notImplemented'
  | 'unavailable'
  | 'cancelled'
  | 'internal';

interface ErrorDescription {
  readonly category: ErrorCategory;
  readonly message: string;
  readonly remedy: string;
}

export type ErrorKind = keyof typeof errorCatalogue;

/** The values that fill the `{name}` places of an error's texts; those that are details are translated themselves. */
export type ErrorValues = DetailValues;

/** An error as it travels between processes. */
export interface ErrorData {
  readonly kind: ErrorKind;
  readonly values: ErrorValues;
  /** Extra lines for the output channel, such as a stack; never shown in a notification. */
  readonly details?: string;
}

/** A foreseen failure, thrown inside a process and carried over its border as `ErrorData`. */
export class SlipwayError extends Error {
  readonly kind: ErrorKind;
  readonly values: ErrorValues;

  constructor(kind: ErrorKind, values: ErrorValues = {}, options?: { readonly cause?: unknown }) {
    super(fill(errorCatalogue[kind].message, values), options);
    this.name = 'SlipwayError';
    this.kind = kind;
    this.values = values;
  }

  get category(): ErrorCategory {
    return errorCatalogue[this.kind].category;
  }

  get remedy(): string {
    return fill(errorCatalogue[this.kind].remedy, this.values);
  }
}

/** What SQLite or the file system mean, by the beginning of the code that they give. */
const refusals: readonly (readonly [code: RegExp, kind: ErrorKind])[] = [
  // A limit on the size of files is met like a full disk.
  [/^(SQLITE_FULL|ENOSPC|EDQUOT|EFBIG)/, 'diskFull'],
  [/^(SQLITE_READONLY|SQLITE_IOERR|SQLITE_PERM|EROFS|EACCES|EPERM)/, 'storeNotWritable'],
  [/^(SQLITE_CORRUPT|SQLITE_NOTADB)/, 'storeDamaged'],
  [/^(SQLITE_BUSY|SQLITE_LOCKED)/, 'storeBusy'],
];

/**
 * Says what it means when SQLite or the file system refuses the store at `path`: `diskFull`, `storeNotWritable`,
 * `storeDamaged` or `storeBusy`. What is none of these, or explained already, is given back as it is.
 */
export function explainRefusal(thrown: unknown, path: string): unknown {
  if (thrown instanceof SlipwayError || !(thrown instanceof Error && 'code' in thrown)) return thrown;
  // Node has this for a folder and those above it that it was to create on a read-only file system.
  const isHidden = thrown.code === 'ENOENT' && 'syscall' in thrown && thrown.syscall === 'mkdir';
  const code = isHidden ? 'EROFS' : String(thrown.code);
  const kind = refusals.find(([pattern]) => pattern.test(code))?.[1];
  return kind ? new SlipwayError(kind, { path, detail: thrown.message }, { cause: thrown }) : thrown;
}

/**
 * Turns whatever was thrown into a `SlipwayError`. What was not foreseen becomes kind `internal`; a refusal of SQLite or
 * of the file system that nobody explained is taken for one of the store.
 */
export function toSlipwayError(thrown: unknown): SlipwayError {
  // Permission may be missing for any file, not only for the store.
  const explained = hasCode(thrown, 'EACCES', 'EPERM') ? thrown : explainRefusal(thrown, '.slipway');
  if (explained instanceof SlipwayError) return explained;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new SlipwayError('internal', { detail }, { cause: thrown });
}

function hasCode(thrown: unknown, ...codes: readonly unknown[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(thrown.code);
}

/** The form in which an error crosses a process border. */
export function toErrorData(thrown: unknown): ErrorData {
  const error = toSlipwayError(thrown);
  const origin = error.cause instanceof Error ? error.cause : error;
  return { kind: error.kind, values: error.values, ...(origin.stack ? { details: origin.stack } : {}) };
}

/** The error that `toErrorData` made, on the other side of the border. */
export function fromErrorData(data: ErrorData): SlipwayError {
  return new SlipwayError(data.kind, data.values, { cause: data.details });
}

/** Whether a value that came over a border is an `ErrorData`. */
export function isErrorData(value: unknown): value is ErrorData {
  return (
    typeof value === 'object' &&
    value !== null &&
    'kind' in value &&
    typeof value.kind === 'string' &&
    value.kind in errorCatalogue
  );
}
