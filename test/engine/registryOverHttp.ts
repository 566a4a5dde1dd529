import assert from 'node:assert/strict';
import { type Answer, at, textAt } from './answers.ts';
import { openRegistryEngine, type RegistryEngine } from './registryEngine.ts';

/** Where the dialect has its registered models. */
export const models = '/registered-models';

/** Where the dialect has their versions. */
export const versions = '/model-versions';

/** What a suite about the registry's part of the dialect asks with. */
export interface RegistryOverHttp {
  /** The engine of the test that runs. */
  engine(): RegistryEngine;
  /** Calls a remote procedure, whatever it answers. */
  call: RegistryEngine['call'];
  /** Calls a remote procedure that must succeed; gives its answer. */
  ok(method: string, path: string, fields?: object): Promise<unknown>;
  /** Creates a version of a model that is there; gives the answer. */
  createVersion(name: string, fields?: object): Promise<unknown>;
}

/** Gives each test of the suite in which it is called an engine of its own. */
export function registryOverHttp(): RegistryOverHttp {
  let engine: RegistryEngine;
  beforeEach(async () => {
    engine = await openRegistryEngine();
  });
  afterEach(() => engine.close());

  const ok: RegistryOverHttp['ok'] = async (method, path, fields) => {
    const { status, body } = await engine.call(method, path, fields);
    assert.equal(status, 200, JSON.stringify(body));
    return body;
  };
  return {
    engine: () => engine,
    call: (method, path, fields) => engine.call(method, path, fields),
    ok,
    createVersion: (name, fields = { source: 's3://b/x' }) =>
      ok('POST', `${versions}/create`, { name, ...fields }),
  };
}

/** Fails unless the answer is a refusal with this status, error code and message. */
export function refused(
  { status, body }: Answer,
  expected: number,
  code: string,
  message: RegExp | string,
): void {
  assert.equal(status, expected, JSON.stringify(body));
  assert.equal(at(body, 'error_code'), code);
  const said = textAt(body, 'message');
  if (typeof message === 'string') assert.equal(said, message);
  else assert.match(said, message);
}

/** Fails unless the answer says that what was asked for makes no sense. */
export function invalid(answer: Answer, message: RegExp | string): void {
  refused(answer, 400, 'INVALID_PARAMETER_VALUE', message);
}

/** Fails unless the answer says that there is no such thing. */
export function missing(answer: Answer, message: RegExp | string): void {
  refused(answer, 404, 'RESOURCE_DOES_NOT_EXIST', message);
}
