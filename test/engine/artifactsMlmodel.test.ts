import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { flavorNames, readMlmodel } from '../../src/engine/tracking/mlmodel.ts';
import { mlmodelText } from './registryEngine.ts';

describe('MLmodel file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-mlmodel-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const write = (text: string) => writeFileSync(join(folder, 'MLmodel'), text);

  it('is read with its flavours, ids and signature', () => {
    write(mlmodelText('m-1', 'r-1'));
    assert.deepEqual(readMlmodel(folder), {
      flavors: {
        onnx: { data: 'model.onnx', onnx_version: '1.19.0' },
        python_function: { loader_module: 'mlflow.onnx' },
      },
      modelId: 'm-1',
      runId: 'r-1',
      mlflowVersion: '3.17.2',
      signature: {
        inputs: [{ name: 'x', type: 'double', required: true, tensor: null }],
        outputs: [{ name: null, type: 'tensor', required: true, tensor: { dtype: 'int64', shape: [-1] } }],
      },
      inputExampleFiles: [],
    });
  });

  it('may be missing, or hold less', () => {
    assert.equal(readMlmodel(folder), null);
    assert.deepEqual(flavorNames(folder), []);
    write('flavors:\n  sklearn: {}\nsignature:\n  inputs: "not json"\n');
    assert.deepEqual(readMlmodel(folder), {
      flavors: { sklearn: {} },
      modelId: null,
      runId: null,
      mlflowVersion: null,
      signature: { inputs: null, outputs: null },
      inputExampleFiles: [],
    });
  });

  for (const [what, text] of [
    ['no YAML', 'a: [unclosed'],
    ['no map', '- a\n- b\n'],
    ['a bomb of aliases', `a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n`],
    ['nothing', ''],
    ['far too much', `x: ${'y'.repeat(5_000_000)}`],
  ] as const) {
    it(`is refused when it is ${what}; a list shows no flavour then`, () => {
      write(text);
      assert.throws(() => readMlmodel(folder), { kind: 'invalidParameter' });
      assert.deepEqual(flavorNames(folder), []);
    });
  }

  it('has no power: tags are not followed, and names of the prototype are only names', () => {
    write('flavors:\n  __proto__: {polluted: true}\n  onnx: !!python/object/apply:os.system ["touch x"]\n');
    const read = readMlmodel(folder);
    assert.ok(!('polluted' in {}));
    assert.deepEqual(read?.flavors.onnx, {});
  });

  it('is not read through a link', function () {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'flavors:\n  secret: {}\n');
    try {
      symlinkSync(secret, join(folder, 'MLmodel'));
    } catch {
      this.skip();
    }
    assert.equal(readMlmodel(folder), null);
  });
});
