import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { findInterpreter } from '../../src/engine/serving/findInterpreter.ts';
import { detail } from '../../src/protocol/errorDetails.ts';

describe('The interpreter for Python models', () => {
  let folder: string;
  let first: string;
  let second: string;
  let environment: NodeJS.ProcessEnv;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-interpreters-'));
    for (const name of ['first', 'second']) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, name === 'first' ? 'python' : 'python3'), '');
    }
    first = join(folder, 'first', 'python');
    second = join(folder, 'second', 'python3');
    environment = { PATH: ['relative', join(folder, 'first'), join(folder, 'second')].join(delimiter) };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('is the one that the person chose, by path or by name', () => {
    assert.deepEqual(findInterpreter({ chosen: first, recorded: second }, environment), { path: first });
    assert.deepEqual(findInterpreter({ chosen: 'python', recorded: second }, environment), { path: first });
  });

  it('is never another one than the person chose', () => {
    const chosen = join(folder, 'third', 'python');
    assert.deepEqual(findInterpreter({ chosen, recorded: second }, environment), {
      missing: detail('interpreterMissing', { python: chosen }),
    });
    assert.deepEqual(findInterpreter({ chosen: './python', recorded: second }, environment), {
      missing: detail('interpreterMissing', { python: './python' }),
    });
  });

  it('is the one of the run as long as it is there, then python3 on the search path', () => {
    assert.deepEqual(findInterpreter({ chosen: null, recorded: first }, environment), { path: first });
    assert.deepEqual(findInterpreter({ chosen: null, recorded: join(folder, 'gone') }, environment), {
      path: second,
    });
    assert.deepEqual(findInterpreter({ chosen: null, recorded: null }, {}), {
      missing: detail('noInterpreterFound'),
    });
  });
});
