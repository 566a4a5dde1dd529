import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { openTrackingEngine } from '../engine/trackingEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { pythonFolder, runProgram, terminalVariables } from './terminalProgram.ts';

const engine = { url: 'http://127.0.0.1:9', token: 'a token that only this test knows' };

describe('Python in a terminal of the editor', function () {
  this.timeout(60_000);
  let python: string;
  let folder: string;

  before(function () {
    python = pythonWithPeers(this);
  });
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-python-')));
    mkdirSync(join(folder, 'sub'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** What a script in `sub/`, started from the folder, prints; `plain` runs it without what the editor adds. */
  async function outputOf(script: string, pythonPath = '', plain = false): Promise<string> {
    writeFileSync(join(folder, 'sub', 'script.py'), script);
    const env = terminalVariables(engine, pythonPath);
    const { code, output, errors } = await runProgram(python, [join('sub', 'script.py')], {
      cwd: folder,
      env: plain ? { ...env, PYTHONPATH: pythonPath || undefined } : env,
    });
    assert.equal(code, 0, errors);
    assert.equal(errors, '');
    return output;
  }

  it('searches the folders that it would search anyway, and the one of the editor', async () => {
    const script = 'import json, sys; print(json.dumps(sys.path))';
    for (const pythonPath of ['', join(folder, 'lib'), ['lib', folder].join(delimiter)]) {
      const plain: readonly string[] = JSON.parse(await outputOf(script, pythonPath, true));
      const path: readonly string[] = JSON.parse(await outputOf(script, pythonPath));
      assert.deepEqual(path, plain.toSpliced(1, 0, pythonFolder), pythonPath);
    }
  });

  it('still finds a project in the working folder that is installed to be edited', async () => {
    const environment = join(folder, 'environment');
    await runProgram(python, ['-m', 'venv', '--without-pip', environment], { cwd: folder, env: process.env });
    const own = join(environment, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
    const place = await runProgram(own, ['-c', "import sysconfig; print(sysconfig.get_path('purelib'))"], {
      cwd: folder,
      env: process.env,
    });
    writeFileSync(join(place.output.trim(), 'project.pth'), `${folder}\n`);
    writeFileSync(join(folder, 'project.py'), 'name = "mine"\n');
    writeFileSync(join(folder, 'sub', 'script.py'), 'import project; print(project.name)');
    const { output, errors } = await runProgram(own, [join('sub', 'script.py')], {
      cwd: folder,
      env: terminalVariables(engine),
    });
    assert.equal(output.trim(), 'mine', errors);
  });

  it('hands a clean search path to the programs that it starts', async () => {
    assert.equal(await outputOf("import os; print(os.environ['PYTHONPATH'], end='')"), pythonFolder);
    const both = [pythonFolder, 'lib'].join(delimiter);
    assert.equal(await outputOf("import os; print(os.environ['PYTHONPATH'], end='')", 'lib'), both);
  });

  it("runs the person's own start-up code, and shows its errors", async () => {
    writeFileSync(join(folder, 'sitecustomize.py'), 'import sys\nsys.greeting = "hello"\n');
    const script = 'import sys, sitecustomize; print(sys.greeting, sitecustomize.__file__)';
    assert.equal((await outputOf(script, folder)).trim(), `hello ${join(folder, 'sitecustomize.py')}`);

    writeFileSync(join(folder, 'sitecustomize.py'), 'raise ValueError("mine")\n');
    const outcomes = [];
    for (const pythonPath of [folder, [pythonFolder, folder].join(delimiter)]) {
      const env = { ...terminalVariables(engine), PYTHONPATH: pythonPath };
      const { code, errors } = await runProgram(python, ['-c', 'pass'], { cwd: folder, env });
      outcomes.push({ code, errors });
    }
    assert.match(outcomes[0]?.errors ?? '', /mine/);
    assert.deepEqual(outcomes[1], outcomes[0]);
  });

  it('loads nothing more than the file that waits for MLflow', async () => {
    const script = 'import sys; print("\\n".join(sorted(sys.modules)))';
    const added = new Set((await outputOf(script)).trim().split('\n'));
    for (const name of (await outputOf(script, '', true)).trim().split('\n')) added.delete(name);
    assert.deepEqual([...added], ['sitecustomize']);
  });

  it('shows no package that is not installed, neither to pip nor to programs', async () => {
    const script = `
import importlib.metadata, subprocess, sys
print(*(d.metadata["Name"] for d in importlib.metadata.distributions()))
print(*(e.name for g in importlib.metadata.entry_points().groups for e in importlib.metadata.entry_points(group=g)))
import mlflow, mlflow.tracking.request_header.registry
print(*(d.metadata["Name"] for d in importlib.metadata.distributions()))
print(subprocess.check_output([sys.executable, "-m", "pip", "freeze"], text=True))`;
    const output = await outputOf(script);
    assert.match(output, /mlflow/);
    assert.doesNotMatch(output, /slipway/i);
  });

  it('leaves secrets out, however they are given, and nothing else', async () => {
    const hidden = {
      '--token abc': '--token ***',
      '--api-key=abc': '--api-key=***',
      '--hf_token abc': '--hf_token ***',
      '--awsSecretAccessKey abc': '--awsSecretAccessKey ***',
      '--PASSWORD abc': '--PASSWORD ***',
      '-password abc': '-password ***',
      'db.password=abc': 'db.password=***',
      '+trainer.wandb_key=abc': '+trainer.wandb_key=***',
      '--env WANDB_API_KEY=abc': '--env WANDB_API_KEY=***',
      '--store postgres://ana:abc@db.example/x': '--store postgres://***@db.example/x',
      '--data https://s.example/a.csv?sig=abc&x=1': '--data https://s.example/a.csv?sig=***&x=1',
      '--id ghp_0123456789abcdefghij': '--id ***',
      '--id AKIAABCDEFGHIJKLMNOP': '--id ***',
    };
    const shown = [
      '--max-tokens 512',
      '--tokenizer bert',
      '--key-column id',
      '--keywords a b',
      '--monkey 3',
      '--author ana',
      '--lr 1e-3',
      'C:\\data\\train.csv',
      'https://example.com/data.csv',
      '--token-length=5',
      '--token --verbose',
    ];
    const cases: readonly (readonly [string, string])[] = [
      ...Object.entries(hidden),
      ...shown.map((text) => [text, text] as const),
    ];
    const script = `
import json
from slipway_provenance.secrets import without_secrets
cases = json.loads(${JSON.stringify(JSON.stringify(cases.map(([given]) => given.split(' '))))})
print(json.dumps([" ".join(without_secrets(case)) for case in cases]))`;
    assert.deepEqual(
      JSON.parse(await outputOf(script)),
      cases.map(([, expected]) => expected),
    );
  });

  it('adds nothing to what a logged model needs', async function () {
    this.timeout(180_000);
    const tracking = await openTrackingEngine();
    const script = `
import mlflow, sklearn.linear_model, sys
with mlflow.start_run():
    model = sklearn.linear_model.LinearRegression().fit([[0], [1]], [0, 1])
    logged = mlflow.sklearn.log_model(model, name="model")
path = mlflow.artifacts.download_artifacts(logged.model_uri)
print(open(path + "/requirements.txt").read())`;
    try {
      const { code, output, errors } = await runProgram(python, ['-c', script], {
        cwd: folder,
        env: terminalVariables(tracking),
      });
      assert.equal(code, 0, errors);
      assert.match(output, /scikit-learn==/);
      assert.doesNotMatch(output + errors, /slipway[-_]provenance/i);
    } finally {
      await tracking.close();
    }
  });
});
