/** A sound model that needs what the runtime does not have. The message continues a sentence. */
export class UnsupportedByRuntime extends Error {
  constructor(message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'UnsupportedByRuntime';
  }
}

/** How the runtime (1.30) says that it lacks what a model needs, and the same in words for a person. */
const lacks: readonly (readonly [pattern: RegExp, explain: (...groups: readonly string[]) => string])[] = [
  [
    /Unsupported model IR version: (\d+), max supported IR version: (\d+)/,
    (found, known) =>
      `it is written in version ${found} of the ONNX file format, of which the runtime reads versions up to ${known}`,
  ],
  [
    /Opset (\d+) is under development[\s\S]*for domain (\S+) is till opset (\d+)/,
    (found, domain, known) =>
      `it needs opset ${found} of ${domain}, of which the runtime knows versions up to ${known}`,
  ],
  [
    /Could not find an implementation for (\w+)\((-?\d+)\)/,
    (operator, version) =>
      `the runtime has no implementation of the operator ${operator} in version ${version} for these types`,
  ],
  [
    /([\w.]+):(\w+)\(-?\d+\) is not a registered function\/op/,
    (domain, operator) => `the runtime does not know the operator ${operator} of ${domain}`,
  ],
  [
    /Unrecognized attribute: (\w+) for operator (\w+)/,
    (attribute, operator) =>
      `the runtime does not know the attribute "${attribute}" of the operator ${operator}`,
  ],
  [
    /Failed to construct locale with name:\s*([\w.@-]+)/,
    (locale) => `it needs the locale "${locale}", which this computer does not have`,
  ],
];

const lacksOther =
  /NOT_IMPLEMENTED|is not currently registered or supported|Unsupported data type|(?:is|are) not supported|is not implemented|is not defined for/;

/** In words what of a model the runtime lacks; null when an error says something else. */
export function lackOf(error: unknown): string | null {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof UnsupportedByRuntime) return message;
  for (const [pattern, explain] of lacks) {
    const found = pattern.exec(message);
    if (found) return explain(...found.slice(1).map((group) => group ?? ''));
  }
  return lacksOther.test(message) ? plainRuntimeMessage(message) : null;
}

/**
 * The runtime's message without the path of the model, places in the runtime's source and conditions that are written
 * there, which say nothing to a person.
 */
export function plainRuntimeMessage(message: string): string {
  const place = /(?:\S*[/\\])?\w+\.(?:cc|cpp|h|hpp):\d+ /;
  let text = message.replace(/^Load model from .*? failed:/, '');
  for (let found = place.exec(text); found; found = place.exec(text)) {
    const rest = text.slice(found.index + found[0].length);
    text = text.slice(0, found.index) + withoutFunction(rest);
  }
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}

/** Takes the name or the whole signature of a C++ function from the beginning of a text, and what it asserts. */
function withoutFunction(text: string): string {
  const end = signatureEnd(text);
  const rest = end === null ? text.replace(/^(?:operator\(\)|[A-Za-z_]\w*) /, '') : text.slice(end);
  return rest
    .replace(/^(?: const| noexcept| \[with [^\]]*\])* ?/, '')
    .replace(/^\S.{0,200}? was false\. ?(?=\S)/, '');
}

/** Where the signature with which a text begins ends; null when it begins with none. */
function signatureEnd(text: string): number | null {
  if (!/^[\w:<>,*&{}~[\]() ]{0,200}?onnxruntime::/.test(text)) return null;
  let depth = 0;
  let hasParameters = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? '';
    if ('(<{'.includes(character)) depth++;
    else if (')>}'.includes(character)) {
      depth--;
      hasParameters ||= character === ')' && depth === 0;
    } else if (character === ' ' && depth === 0 && hasParameters) return at;
  }
  return null;
}
