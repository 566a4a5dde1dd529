/**
 * The script of the try-it page. It is text here because the scorer is one bundle that runs alone and holds no code of
 * the browser; test/browser/tryIt.test.ts runs it in one. Everything that comes from a model is set as text, never as
 * markup.
 */
export const tryItScript = String.raw`'use strict';
const texts = JSON.parse(document.getElementById('texts').textContent);
const element = (id) => document.getElementById(id);
const say = (key, value) => texts[key].replace('{0}', value);
let versions = [];
let fields = [];

const fromFragment = new URLSearchParams(decodeURIComponent(location.hash.slice(1))).get('token');
if (fromFragment !== null) {
  element('token').value = fromFragment;
  // So that the token stays neither in the address bar nor in the history.
  history.replaceState(null, '', location.pathname);
}

// A proxy may show this page below a path of its own.
const address = (path) => new URL('.' + path, location.origin + location.pathname).href;

function headers() {
  const token = element('token').value.trim();
  return token === '' ? {} : { authorization: 'Bearer ' + token };
}

function tell(message, isError) {
  element('message').textContent = message;
  element('message').classList.toggle('error', isError);
}

async function open() {
  let answer;
  try {
    answer = await fetch(address('/try/models.json'), { headers: headers() });
  } catch (error) {
    return tell(say('unreachable', error.message), true);
  }
  element('door').hidden = answer.ok;
  if (!answer.ok) {
    const text = answer.status === 401 ? texts.refused : say('status', answer.status);
    // Without a token nothing went wrong yet.
    tell(text, element('token').value !== '');
    element('token').focus();
    return;
  }
  tell('', false);
  versions = (await answer.json()).versions;
  const options = versions.map(({ name, version, isStable }, index) => {
    const title = name + ', ' + say('version', version) + (isStable ? ' (' + texts.stable + ')' : '');
    return new Option(title, String(index));
  });
  element('model').replaceChildren(...options);
  element('model').value = String(Math.max(0, versions.findIndex(({ isStable }) => isStable)));
  element('form').hidden = false;
  show();
}

const chosen = () => versions[Number(element('model').value)];

function show() {
  const version = chosen();
  element('answer').hidden = true;
  element('columns').hidden = version.fields === null;
  element('body').hidden = version.fields !== null;
  element('request').value = version.example;
  fields = (version.fields ?? []).map((field, index) => ({ ...field, control: control(field, index) }));
  element('fields').replaceChildren(
    ...fields.map(({ title, datatype, control: made }) => {
      const label = document.createElement('label');
      const kind = document.createElement('small');
      kind.textContent = datatype;
      label.append(title + ' ', kind, made);
      return label;
    }),
  );
}

function control({ datatype, value }, index) {
  const plain = JSON.parse(value);
  if (datatype === 'BOOL') {
    const select = document.createElement('select');
    select.append(new Option(texts.falsy, 'false'), new Option(texts.truthy, 'true'));
    select.value = String(plain === true);
    return select;
  }
  const input = document.createElement('input');
  input.name = 'field-' + index;
  input.value = plain === null ? '' : String(plain);
  if (datatype !== 'BYTES') input.inputMode = 'decimal';
  input.autocomplete = 'off';
  input.spellcheck = false;
  return input;
}

/** The value of a field as JSON; an empty number is NaN, which JSON says as null. */
function fieldJson({ title, datatype, control: { value } }) {
  if (datatype === 'BYTES') return JSON.stringify(value);
  if (datatype === 'BOOL') return value;
  const text = value.trim();
  const isFloat = datatype.startsWith('FP');
  if (isFloat && (text === '' || /^nan$/i.test(text))) return 'null';
  if (isFloat && /^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? '"-Infinity"' : '"Infinity"';
  if (text === '' || Number.isNaN(Number(text))) throw new Error(say('notANumber', title));
  // Digits beyond 2^53 would be lost as a number.
  return /^-?\d{16,}$/.test(text) && datatype.endsWith('64') ? JSON.stringify(text) : String(Number(text));
}

function body() {
  const version = chosen();
  if (version.fields === null) {
    const text = element('request').value;
    try {
      JSON.parse(text);
    } catch (error) {
      throw new Error(say('notJson', error.message));
    }
    return text;
  }
  const tensors = version.inputs.map(({ name, datatype, shape }, index) => {
    const values = fields.filter(({ input }) => input === index).map(fieldJson);
    const sizes = shape.length === 1 ? [1] : [1, values.length];
    return '    {"name": ' + JSON.stringify(name) + ', "shape": ' + JSON.stringify(sizes) +
      ', "datatype": ' + JSON.stringify(datatype) + ', "data": [' + values.join(', ') + ']}';
  });
  return '{\n  "inputs": [\n' + tensors.join(',\n') + '\n  ]\n}';
}

async function predict() {
  let sent;
  try {
    sent = body();
  } catch (error) {
    return tell(error.message, true);
  }
  tell(texts.asking, false);
  const began = performance.now();
  try {
    const answer = await fetch(address(chosen().path), {
      method: 'POST',
      headers: { ...headers(), 'content-type': 'application/json' },
      body: sent,
    });
    const text = await answer.text();
    const took = performance.now() - began;
    showAnswer(answer, text, took);
  } catch (error) {
    tell(say('unreachable', error.message), true);
  }
}

function showAnswer(answer, text, took) {
  let shown = text;
  let version = null;
  try {
    const parsed = JSON.parse(text);
    version = parsed.model_version ?? null;
    shown = JSON.stringify(parsed, null, 2);
  } catch {
    // Shown as it came.
  }
  const variant = answer.headers.get('x-slipway-variant');
  const facts = [
    say('status', answer.status),
    say('milliseconds', took.toFixed(1)),
    ...(version === null ? [] : [say('version', version)]),
    ...(variant === null ? [] : [say('variant', variant)]),
  ];
  tell('', false);
  element('facts').textContent = facts.join(' · ');
  element('facts').classList.toggle('error', !answer.ok);
  element('output').textContent = shown;
  element('answer').hidden = false;
}

const quoted = (text) => "'" + text.replaceAll("'", "'\\''") + "'";

const snippets = {
  curl: (url, sent) =>
    'curl ' + quoted(url) + " \\\n  -H \"Authorization: Bearer $SLIPWAY_TOKEN\" \\\n" +
    "  -H 'Content-Type: application/json' \\\n  -d " + quoted(sent) + '\n',
  Python: (url, sent) =>
    'import json\nimport os\nimport urllib.request\n\n' +
    'request = urllib.request.Request(\n    ' + JSON.stringify(url) + ',\n' +
    '    data=json.dumps(json.loads(' + JSON.stringify(sent) + ')).encode(),\n' +
    '    headers={"Authorization": f"Bearer {os.environ[\'SLIPWAY_TOKEN\']}", "Content-Type": "application/json"},\n)\n' +
    'with urllib.request.urlopen(request) as answer:\n    print(json.load(answer)["outputs"])\n',
  TypeScript: (url, sent) =>
    'const answer = await fetch(' + JSON.stringify(url) + ', {\n  method: "POST",\n' +
    '  headers: { authorization: ' + '\x60Bearer $' + '{process.env.SLIPWAY_TOKEN}\x60' + ', "content-type": "application/json" },\n' +
    '  body: JSON.stringify(' + sent.replaceAll('\n', '\n  ') + '),\n});\nconsole.log(JSON.stringify(await answer.json()));\n',
};

async function copy(kind) {
  try {
    await navigator.clipboard.writeText(snippets[kind](address(chosen().path), body()));
    tell(say('copied', kind), false);
  } catch (error) {
    tell(error.message, true);
  }
}

element('door').addEventListener('submit', (event) => {
  event.preventDefault();
  void open();
});
element('form').addEventListener('submit', (event) => {
  event.preventDefault();
  void predict();
});
element('model').addEventListener('change', show);
for (const kind of Object.keys(snippets)) {
  element('copy-' + kind).addEventListener('click', () => void copy(kind));
}
void open();
`;
