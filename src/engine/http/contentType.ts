/** Endings of files that MLflow shows as plain text, whatever else they are. */
const texts: ReadonlySet<string> = new Set([
  'txt',
  'log',
  'err',
  'cfg',
  'conf',
  'cnf',
  'cf',
  'ini',
  'properties',
  'prop',
  'hocon',
  'toml',
  'yaml',
  'yml',
  'xml',
  'json',
  'js',
  'py',
  'py3',
  'csv',
  'tsv',
  'md',
  'rst',
  'ipynb',
]);

/** Files without an ending that are text as well. */
const textNames: ReadonlySet<string> = new Set(['MLmodel', 'MLproject', 'mlproject']);

/** Types as Python's `mimetypes` guesses them. */
const types: Readonly<Record<string, string>> = {
  css: 'text/css',
  gif: 'image/gif',
  htm: 'text/html',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  wav: 'audio/x-wav',
  webp: 'image/webp',
  zip: 'application/zip',
};

/** The content type of a file by its name; bytes when nothing better is known. */
export function contentTypeOf(name: string): string {
  const dot = name.lastIndexOf('.');
  if (textNames.has(name)) return 'text/plain';
  const extension = dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
  if (texts.has(extension)) return 'text/plain';
  return Object.hasOwn(types, extension) ? (types[extension] ?? '') : 'application/octet-stream';
}
