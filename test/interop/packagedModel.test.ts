import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dockerfileText } from '../../src/engine/serving/packaging/dockerfile.ts';
import { runToEnd } from '../engine/startedProcess.ts';
import { linearModel } from '../fixtures/onnxFile.ts';
import { pythonWithPeers } from '../python.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';

const cli = join(import.meta.dirname, '../../dist/cli.cjs');

const validator = `
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
print(JsonStrictValidator(SchemaVersion.V1_6).validate_str(open(sys.argv[1]).read()))
`;

describe('A package, seen by other tools', function () {
  this.timeout(120_000);
  let folder: string;
  before(async () => {
    folder = await temporaryFolder();
  });
  after(() => removeFolder(folder));

  it('has a bill of materials that CycloneDX’s own schema accepts', async function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_SERVING');
    const model = join(folder, 'vinho "é".onnx');
    writeFileSync(model, linearModel());
    const output = join(folder, 'package');
    const { code, stderr } = await runToEnd([cli, 'package', model, '--output', output]);
    assert.equal(code, 0, stderr);
    const answer = execFileSync(python, ['-c', validator, join(output, 'sbom.cdx.json')], {
      encoding: 'utf8',
    });
    assert.equal(answer.trim(), 'None');
  });

  it('has a Dockerfile in which hadolint finds nothing', function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_SERVING');
    const hadolint = join(dirname(python), process.platform === 'win32' ? 'hadolint.exe' : 'hadolint');
    if (!existsSync(hadolint)) this.skip();
    for (const model of ['wine', 'we"ird $HOME \\ \nname']) {
      for (const holdsLinuxModules of [true, false]) {
        const text = dockerfileText({ model, version: 3, port: 8080, holdsLinuxModules });
        const { stdout, stderr, status } = spawnSync(hadolint, ['--no-color', '-'], {
          input: text,
          encoding: 'utf8',
        });
        assert.deepEqual([status, stdout, stderr], [0, '', ''], text);
      }
    }
  });
});
