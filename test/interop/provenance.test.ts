import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { openEngine } from '../../src/engine/engine.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import { createGitRepository, type GitRepository } from '../gitRepository.ts';
import { pythonWithPeers } from '../python.ts';
import type { PythonVariable } from '../toolchain/pythonPeers.ts';
import { runProgram, terminalVariables } from './terminalProgram.ts';

const scenario = join(import.meta.dirname, '../fixtures/python/provenance_scenario.py');
const table = 'a,b\n1,2\n3,4\n';
const digestOf = (text: string) => createHash('sha256').update(text).digest('hex');

/** Runs the scenario as in a terminal, waits until all is recorded, and gives the ids of its runs. */
async function runScenario(
  python: string,
  engine: TrackingEngine,
  cwd: string,
  environment: NodeJS.ProcessEnv = {},
): Promise<Readonly<Record<string, string>>> {
  const args = ['provenance_scenario.py', '--data', 'wine.csv', '--api-key', 'hunter2', '--max-tokens=5'];
  const { code, output, errors } = await runProgram(
    python,
    [...args, '--store=https://ana:geheim@s.example/x'],
    {
      cwd,
      env: { ...terminalVariables(engine), ...environment },
    },
  );
  assert.equal(code, 0, errors);
  await engine.provenance.settled();
  // The older client prints lines of its own.
  return JSON.parse(output.trim().split('\n').at(-1) ?? '');
}

const clients: Readonly<Record<string, PythonVariable>> = {
  'MLflow 3': 'SLIPWAY_TEST_PYTHON',
  'MLflow 2': 'SLIPWAY_TEST_PYTHON_MLFLOW2',
};

for (const [client, variable] of Object.entries(clients)) {
  describe(`what a run was made of, told by the ${client} client of a script in a terminal`, () => {
    let engine: TrackingEngine;
    let repository: GitRepository;
    let ids: Readonly<Record<string, string>>;
    let python: string;
    let commit: string;
    const made = (run: string) => engine.provenance.ofRun(ids[run] ?? '');
    const tagsOf = (run: string) =>
      Object.fromEntries(engine.tracking.wholeRun(ids[run] ?? '').tags.map(({ key, value }) => [key, value]));

    before(async function () {
      python = pythonWithPeers(this, variable);
      this.timeout(180_000);
      engine = await openTrackingEngine();
      repository = createGitRepository();
      copyFileSync(scenario, join(repository.folder, basename(scenario)));
      repository.write('model.py', 'depth = 3\n');
      repository.write('.gitignore', '*.csv\n__pycache__/\n');
      repository.git('add', '.');
      repository.git('commit', '--quiet', '--message=first');
      repository.git('remote', 'add', 'origin', 'https://ana:geheim@git.example.com/churn.git');
      commit = repository.git('rev-parse', 'HEAD');
      repository.write('model.py', 'depth = 4\n');
      repository.write('features.py', 'names = []\n');
      repository.write('secrets.yaml', 'password: geheim\n');
      repository.write('wine.csv', table);
      repository.write('labels.csv', 'x\n');
      ids = await runScenario(python, engine, repository.folder);
    });
    after(async () => {
      repository?.remove();
      await engine?.close();
    });

    for (const run of ['fluent', 'nested', 'client', 'worker']) {
      it(`keeps commit, branch, script, arguments, Python, packages and machine of a ${run} run`, () => {
        const { code, program, machine, packageCount } = made(run);
        assert.equal(code?.commit, commit);
        assert.equal(code?.branch, 'main');
        assert.equal(code?.repository, 'https://git.example.com/churn.git');
        assert.equal(program?.kind, 'script');
        assert.equal(program?.entryPoint, join(repository.folder, 'provenance_scenario.py'));
        assert.equal(program?.folder, repository.folder);
        assert.match(program?.pythonVersion ?? '', /^3\.\d+\.\d+/);
        assert.equal(program?.pythonExecutable, python);
        assert.ok((machine?.coreCount ?? 0) > 0 && (machine?.memory ?? 0) > 0);
        assert.ok(packageCount > 20);
        assert.deepEqual(program?.command.slice(1), [
          'provenance_scenario.py',
          '--data',
          'wine.csv',
          '--api-key',
          '***',
          '--max-tokens=5',
          '--store=https://***@s.example/x',
        ]);
      });
    }

    it('knows the packages with their versions', async () => {
      const installed = new Map(
        engine.provenance.packages(ids.fluent ?? '').map(({ name, version }) => [name, version]),
      );
      const script =
        "from importlib.metadata import version; print(version('mlflow'), version('scikit-learn'))";
      const { output } = await runProgram(python, ['-c', script], { cwd: tmpdir(), env: process.env });
      assert.equal(`${installed.get('mlflow')} ${installed.get('scikit-learn')}`, output.trim());
    });

    it('keeps what was not committed, new code included, but no file that is named like a secret', () => {
      assert.deepEqual(made('fluent').code?.changedFiles, ['model.py', 'features.py', 'secrets.yaml']);
      const changes = engine.provenance.changes(ids.fluent ?? '');
      assert.ok(changes?.complete);
      assert.match(changes.text, /^-depth = 3\n\+depth = 4$/m);
      assert.match(changes.text, /^\+names = \[\]$/m);
      assert.doesNotMatch(changes.text, /geheim/);
    });

    it('keeps changes from which the work tree can be made again', () => {
      const copy = createGitRepository();
      try {
        copy.git('pull', '--quiet', repository.folder, 'main');
        copy.write('../changes.patch', engine.provenance.changes(ids.fluent ?? '')?.text ?? '');
        copy.git('apply', '../changes.patch');
        assert.equal(copy.git('status', '--porcelain'), 'M model.py\n?? features.py');
      } finally {
        rmSync(join(copy.folder, '../changes.patch'));
        copy.remove();
      }
    });

    it('keeps digests of the files that arguments and datasets name', () => {
      const whole = { fileCount: null, isTooLarge: false };
      const files = [
        {
          ...whole,
          path: join(repository.folder, 'labels.csv'),
          origin: 'dataset',
          size: 2,
          digest: digestOf('x\n'),
        },
        {
          ...whole,
          path: join(repository.folder, 'wine.csv'),
          origin: 'argument',
          size: table.length,
          digest: digestOf(table),
        },
      ];
      assert.deepEqual(made('fluent').files, files);
      assert.deepEqual(made('client').files, files.slice(1));
    });

    it('lets runs be searched by commit, with the tags that MLflow knows', () => {
      for (const run of ['fluent', 'client']) {
        const tags = tagsOf(run);
        assert.equal(tags['mlflow.source.git.commit'], commit);
        assert.equal(tags['mlflow.source.git.branch'], 'main');
        assert.equal(tags['mlflow.source.git.dirty'], 'true');
        assert.equal(tags['mlflow.source.git.repoURL'], 'https://git.example.com/churn.git');
      }
    });

    it('writes no secret anywhere into the store', () => {
      for (const table of ['programs', 'run_programs', 'provenance_texts', 'tags', 'run_files']) {
        const rows = JSON.stringify(engine.database.prepare(`SELECT * FROM ${table}`).all());
        assert.doesNotMatch(rows, /hunter2|geheim/, table);
      }
    });

    it('keeps one list of packages, one machine and one diff for all runs', () => {
      const count = (sql: string) => engine.database.prepare<[], { n: number }>(sql).get()?.n;
      assert.equal(count('SELECT COUNT(*) AS n FROM run_programs'), 4);
      // The worker is a program of its own.
      assert.equal(count('SELECT COUNT(*) AS n FROM programs'), 2);
      assert.equal(count('SELECT COUNT(*) AS n FROM provenance_texts'), 3);
    });
  });
}

describe('what a run was made of, where little is known', () => {
  let engine: TrackingEngine;
  let python: string;
  let folder: string;

  before(function () {
    python = pythonWithPeers(this);
  });
  beforeEach(async () => {
    engine = await openTrackingEngine();
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-script-')));
    copyFileSync(scenario, join(folder, basename(scenario)));
  });
  afterEach(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const script = 'import mlflow\nwith mlflow.start_run() as run: print(run.info.run_id)\n';
  const runInline = async (environment: NodeJS.ProcessEnv) => {
    const { code, output, errors } = await runProgram(python, ['-c', script], {
      cwd: folder,
      env: { ...terminalVariables(engine), ...environment },
    });
    assert.equal(code, 0, errors);
    await engine.provenance.settled();
    return output.trim();
  };

  it('keeps the rest outside of repositories', async function () {
    this.timeout(60_000);
    const made = engine.provenance.ofRun(await runInline({}));
    assert.equal(made.code, null);
    assert.equal(made.program?.kind, 'interactive');
    assert.equal(made.program?.folder, folder);
    assert.ok(made.packageCount > 20);
  });

  it('keeps the rest where there is no git', async function () {
    this.timeout(60_000);
    const path = process.env.PATH;
    process.env.PATH = folder;
    try {
      const made = engine.provenance.ofRun(await runInline({}));
      assert.equal(made.code, null);
      assert.ok(made.machine && made.packageCount > 20);
    } finally {
      process.env.PATH = path;
    }
  });

  it('keeps nothing when it is switched off', async function () {
    this.timeout(60_000);
    const runId = await runInline({ SLIPWAY_ENGINE_URL: undefined, PYTHONPATH: undefined });
    assert.equal(engine.provenance.ofRun(runId).program, null);
    assert.deepEqual(engine.database.prepare('SELECT * FROM programs').all(), []);
  });

  it('tells nothing to another server', async function () {
    this.timeout(60_000);
    const runId = await runInline({ SLIPWAY_ENGINE_URL: 'http://127.0.0.1:9' });
    assert.equal(engine.provenance.ofRun(runId).program, null);
    assert.deepEqual(engine.database.prepare('SELECT * FROM programs').all(), []);
  });

  it('knows the runs of a script that began before the engine', async function () {
    this.timeout(60_000);
    const door = createServer((socket) => {
      socket.destroy();
      door.close();
    });
    door.listen(0, '127.0.0.1');
    await once(door, 'listening');
    const address = door.address();
    assert.ok(address !== null && typeof address === 'object');
    const { port } = address;
    const env = terminalVariables({ url: `http://127.0.0.1:${port}`, token: engine.token });
    const program = runProgram(python, ['-c', script], { cwd: folder, env });
    // The first to knock is the program's report of itself, in vain.
    await once(door, 'close');
    const scripts = { scorer: '', worker: '' };
    const late = await openEngine({
      workspace: folder,
      host: '127.0.0.1',
      port,
      token: engine.token,
      trusted: true,
      scripts,
    });
    try {
      const { code, output, errors } = await program;
      assert.equal(code, 0, errors);
      await late.provenance.settled();
      assert.equal(late.provenance.ofRun(output.trim()).program?.folder, folder);
    } finally {
      await late.close();
    }
  });

  it('is silent when the engine does not answer: the script fails as it would without', async function () {
    this.timeout(120_000);
    const outcomeOf = async (environment: NodeJS.ProcessEnv) => {
      const gone = { url: 'http://127.0.0.1:9', token: engine.token };
      const { code, errors } = await runProgram(python, ['-c', script], {
        cwd: folder,
        env: { ...terminalVariables(gone), MLFLOW_HTTP_REQUEST_MAX_RETRIES: '1', ...environment },
      });
      return { code, errors: errors.replace(/0x[0-9a-f]+/g, '').replace(/^\d{4}.*$/gm, '') };
    };
    const outcomes = await Promise.all(
      [{}, { SLIPWAY_ENGINE_URL: undefined, PYTHONPATH: undefined }].map(outcomeOf),
    );
    assert.equal(outcomes[0]?.code, 1);
    assert.deepEqual(outcomes[0], outcomes[1]);
  });
});
