import assert from 'node:assert/strict';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { classifierModel, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import {
  modelFile,
  type RunningScorer,
  removeFolder,
  startScorerProcess,
  temporaryFolder,
} from './scorerProcess.ts';

interface Operation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: {
    readonly content: Readonly<
      Record<
        string,
        { readonly schema: object; readonly examples: Readonly<Record<string, { value: unknown }>> }
      >
    >;
  };
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>;
}

describe('The OpenAPI document of a scorer', () => {
  let folder: string;
  let scorer: RunningScorer;
  // biome-ignore lint/suspicious/noExplicitAny: a document of JSON, of which the validator knows the form
  let document: any;
  let operations: readonly (readonly [path: string, method: string, operation: Operation])[];
  before(async () => {
    folder = await temporaryFolder();
    const onnx = async (model: Buffer) => ({ type: 'onnx' as const, file: await modelFile(folder, model) });
    const mixed = identityModel([
      { name: 'acid', element: 'float', shape: ['rows', 1] },
      { name: 'count', element: 'int64', shape: ['rows', 1] },
      { name: 'colour', element: 'string', shape: ['rows', 1] },
      { name: 'ok', element: 'bool', shape: ['rows', 1] },
    ]);
    const image = identityModel([
      { name: 'image', element: 'uint8', shape: [1, 2, 2] },
      { name: 'scale', element: 'double', shape: [] },
    ]);
    const anything = identityModel([{ name: 'any', element: 'float', shape: null }]);
    scorer = await startScorerProcess(folder, linearModel(), {
      inferenceLog: join(folder, 'log.db'),
      columns: ['acid', 'a "b", ü', '__proto__'],
      models: [
        { name: 'wine', version: 4, source: await onnx(linearModel()) },
        { name: 'mixed', version: 1, source: await onnx(mixed) },
        { name: 'image', version: 1, source: await onnx(image) },
        { name: 'anything', version: 1, source: await onnx(anything) },
        { name: 'kinds', version: 1, source: await onnx(classifierModel(['a', 'b', 'c'])) },
        { name: 'a {b}/ü:x?', version: 1, source: await onnx(linearModel()) },
      ],
    });
    document = (await scorer.ask('/openapi.json')).json;
    const paths: readonly [string, Readonly<Record<string, Operation>>][] = Object.entries(document.paths);
    operations = paths.flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => [path, method, operation] as const),
    );
  });
  after(async () => {
    await scorer.drain();
    await removeFolder(folder);
  });

  it('is valid OpenAPI 3.1', async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    assert.ok(valid, JSON.stringify(errors));
    const ids = operations.map(([, , { operationId }]) => operationId);
    assert.equal(new Set(ids).size, ids.length, 'each operation has an id of its own');
  });

  it('has every protocol of every model', () => {
    const paths = new Set(operations.map(([path]) => path));
    for (const path of [
      '/invocations',
      '/v2/feedback',
      '/metrics',
      '/v2/models/mixed/infer',
      '/v2/models/wine/versions/3/infer',
      '/v1/models/wine/versions/4:predict',
      '/v1/models/wine:regress',
      '/v1/models/kinds:classify',
      '/models/mixed/invoke',
      '/v2/models/a%20%7Bb%7D%2F%C3%BC%3Ax%3F/infer',
    ]) {
      assert.ok(paths.has(path), path);
    }
    assert.ok(!paths.has('/v1/models/wine:classify'));
    assert.ok(!paths.has('/v1/models/kinds:regress'));
  });

  it('has examples that fit their schemas and are accepted', async () => {
    const ajv = new Ajv2020({ strict: false });
    let sent = 0;
    for (const [path, method, { requestBody, responses }] of operations) {
      const wanted = Number(Object.keys(responses)[0]);
      if (!requestBody) continue;
      for (const [type, { schema, examples }] of Object.entries(requestBody.content)) {
        const validate = ajv.compile({ ...schema, components: document.components });
        for (const [name, { value }] of Object.entries(examples)) {
          const title = `${path} ${type} ${name} ${JSON.stringify(value)}`;
          assert.ok(validate(value), `${title}: ${JSON.stringify(validate.errors)}`);
          const answer = await scorer.ask(path, {
            method: method.toUpperCase(),
            body: value,
            headers: { 'content-type': type },
          });
          assert.equal(answer.status, wanted, `${title}: ${answer.text}`);
          sent += 1;
        }
      }
    }
    assert.ok(sent > 60, `${sent} examples`);
  });

  it('has addresses to get that answer as it says, open ones without a token', async () => {
    for (const [path, method, { responses, security }] of operations) {
      if (method !== 'get') continue;
      const answer = security?.length === 0 ? await fetch(`${scorer.url}${path}`) : await scorer.ask(path);
      const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
      assert.equal(answer.status, 200, path);
      assert.deepEqual([type], Object.keys(responses['200']?.content ?? {}), path);
      if (security?.length !== 0) assert.equal((await fetch(`${scorer.url}${path}`)).status, 401, path);
    }
  });

  it('shows what is loaded now, and asks for the token', async () => {
    const source = { type: 'onnx' as const, file: await modelFile(folder, linearModel()) };
    await scorer.command({ type: 'load', model: { name: 'late', version: 1, source } });
    const { json } = await scorer.ask('/openapi.json');
    assert.ok('/v2/models/late/infer' in json.paths);
    assert.equal((await fetch(`${scorer.url}/openapi.json`)).status, 401);
  });
});
