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
  modelUnreadable: {
    category: 'invalid',
    message: 'The ONNX model of version {version} of "{model}" cannot be loaded: {detail}',
    remedy: 'Export the model again, then register the new version.',
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
  endpointNotReady: {
    category: 'unavailable',
    message: 'The endpoint "{endpoint}" is not running.',
    remedy: 'Start it first.',
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

/** The values that fill the `{name}` places of an error's texts. */
export type ErrorValues = Readonly<Record<string, string | number>>;

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

/** Replaces each `{name}` of a template with its value; a name without a value stays as it is. */
export function fill(template: string, values: ErrorValues): string {
  return template.replace(/\{(\w+)\}/g, (place, name: string) => String(values[name] ?? place));
}

/** Turns whatever was thrown into a `SlipwayError`; what was not foreseen becomes kind `internal`. */
export function toSlipwayError(thrown: unknown): SlipwayError {
  if (thrown instanceof SlipwayError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new SlipwayError('internal', { detail }, { cause: thrown });
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
