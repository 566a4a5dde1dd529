import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { openRegistryEngine, type RegistryEngine } from '../engine/registryEngine.ts';
import { pythonWithPeers } from '../python.ts';
import { runPython } from './registryPython.ts';

const token = 'a-token-of-this-test-0123456789';

const prelude = `
import json, os, mlflow
from mlflow import MlflowClient
client = MlflowClient()
mlflow.set_experiment("iris")
`;

/** For the scripts that train; to import it all takes long. */
const training = `
import numpy as np
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
X, y = load_iris(return_X_y=True, as_frame=True)
# Named, as finding them out takes most of the time.
requirements = ["scikit-learn", "onnx"]
`;

describe('registry and artifacts with the real MLflow client', function () {
  this.timeout(300_000);
  let engine: RegistryEngine;
  let python: string;

  before(function () {
    python = pythonWithPeers(this);
  });
  beforeEach(async () => {
    engine = await openRegistryEngine(token);
  });
  afterEach(() => engine.close());

  const run = (script: string) => runPython(python, prelude + script, { url: engine.url, token });
  const train = (script: string) => run(training + script);

  it('logs, registers, promotes, aliases and loads a scikit-learn model by every URI', async () => {
    const result = await train(`
with mlflow.start_run() as run:
    model = LogisticRegression(max_iter=500).fit(X, y)
    mlflow.log_metric("accuracy", model.score(X, y))
    info = mlflow.sklearn.log_model(model, name="model", registered_model_name="iris", input_example=X.head(2), pip_requirements=requirements)
rid = run.info.run_id
second = mlflow.register_model(f"runs:/{rid}/model", "iris", tags={"how": "again"})
third = mlflow.register_model(info.model_uri, "iris")
client.transition_model_version_stage("iris", "1", "Production")
client.transition_model_version_stage("iris", second.version, "Production", archive_existing_versions=True)
client.set_registered_model_alias("iris", "champion", third.version)
client.update_model_version("iris", "3", description="the best")
client.set_model_version_tag("iris", "3", "checked", "yes")
client.set_registered_model_tag("iris", "team", "botany")
expected = model.predict(X).tolist()
uris = ["models:/iris/1", "models:/iris@champion", "models:/iris/Production", "models:/iris/latest", f"runs:/{rid}/model", info.model_uri]
same = {uri.split("/")[0] + str(i): mlflow.sklearn.load_model(uri).predict(X).tolist() == expected for i, uri in enumerate(uris)}
pyfunc = mlflow.pyfunc.load_model("models:/iris@champion").predict(X).tolist() == expected
found = client.search_model_versions("name='iris'")
print(json.dumps({
  "rid": rid, "same": same, "pyfunc": pyfunc,
  "versions": sorted([(v.version, v.current_stage, v.run_id == rid) for v in found], key=str),
  "by_alias": client.get_model_version_by_alias("iris", "champion").description,
  "aliases": client.get_registered_model("iris").aliases,
  "tags": [client.get_registered_model("iris").tags, client.get_model_version("iris", "3").tags, client.get_model_version("iris", "2").tags],
  "models": [m.name for m in client.search_registered_models()],
  "latest": [v.version for v in client.get_latest_versions("iris", ["Production"])],
  "download": client.get_model_version_download_uri("iris", "1").split("/")[0],
  "logged_model_versions": json.loads(mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"])[-1]["name"],
}))
`);
    assert.partialDeepStrictEqual(result, {
      same: {
        'models:0': true,
        'models:1': true,
        'models:2': true,
        'models:3': true,
        'runs:4': true,
        'models:5': true,
      },
      pyfunc: true,
      versions: [
        ['1', 'Archived', true],
        ['2', 'Production', true],
        ['3', 'None', true],
      ],
      by_alias: 'the best',
      tags: [{ team: 'botany' }, { checked: 'yes' }, { how: 'again' }],
      models: ['iris'],
      latest: ['2'],
      download: 'mlflow-artifacts:',
      logged_model_versions: 'iris',
    });
    const [third, second] = engine.registry.versions('iris');
    assert.deepEqual(third?.aliases, ['champion']);
    assert.equal(second?.mainMetric?.key, 'accuracy');
    assert.ok(third?.flavors.includes('sklearn'));
    assert.deepEqual(
      engine.registry.transitions('iris').map(({ version, to }) => `${version} ${to}`),
      ['2 Production', '1 Archived', '1 Production'],
    );
  });

  it('logs an ONNX model whose folder the engine finds, and loads it again', async () => {
    const result = await train(`
import mlflow.onnx
from skl2onnx import to_onnx
model = LogisticRegression(max_iter=500).fit(X, y)
onnx = to_onnx(model, X[:1].to_numpy().astype(np.float32), options={"zipmap": False})
with mlflow.start_run() as run:
    info = mlflow.onnx.log_model(onnx, name="model", registered_model_name="iris-onnx", pip_requirements=requirements)
loaded = mlflow.onnx.load_model("models:/iris-onnx/1")
print(json.dumps({"same": loaded.SerializeToString() == onnx.SerializeToString(), "run": run.info.run_id, "model": info.model_id}))
`);
    assert.partialDeepStrictEqual(result, { same: true });
    const version = engine.registry.version('iris-onnx', 1);
    assert.ok(version.flavors.includes('onnx'));
    const folder = engine.registry.modelFolder('iris-onnx', 1);
    assert.match(readFileSync(`${folder}/MLmodel`, 'utf8'), /data: model\.onnx/);
  });

  it('registers from the editor what the client then loads', async () => {
    const logged = await train(`
with mlflow.start_run() as run:
    info = mlflow.sklearn.log_model(LogisticRegression(max_iter=500).fit(X, y), name="model", pip_requirements=requirements, serialization_format="cloudpickle")
print(json.dumps([run.info.run_id, info.model_id]))
`);
    assert.ok(Array.isArray(logged));
    const [runId, modelId] = logged.map(String);
    engine.registry.register({ name: 'by hand', runId: runId ?? '', modelId: modelId ?? '' });
    engine.registry.promote({ name: 'by hand', version: 1, stage: 'Staging', who: 'ana', why: 'try it' });
    const result = await train(`
model = mlflow.sklearn.load_model("models:/by hand/Staging")
print(json.dumps([float(model.score(X, y)) > 0.9, client.get_model_version("by hand", "1").run_id]))
`);
    assert.deepEqual(result, [true, runId]);
  });

  it('records what scikit-learn autolog sends', async () => {
    const result = await train(`
mlflow.sklearn.autolog()
with mlflow.start_run() as run:
    LogisticRegression(max_iter=500).fit(X, y)
data = client.get_run(run.info.run_id)
models = mlflow.search_logged_models(experiment_ids=[run.info.experiment_id], output_format="list")
print(json.dumps({
  "files": sorted(f.path for f in client.list_artifacts(run.info.run_id)),
  "max_iter": data.data.params["max_iter"], "has_metrics": len(data.data.metrics) > 0, "models": len(models),
  "loads": mlflow.sklearn.load_model(models[0].model_uri).predict(X).shape[0],
}))
`);
    assert.partialDeepStrictEqual(result, { max_iter: '500', has_metrics: true, models: 1, loads: 150 });
    assert.match(JSON.stringify(result), /estimator\.html/);
  });

  it('logs, lists, downloads and reads back artifacts of every kind', async () => {
    const result = await run(`
import pathlib, matplotlib.pyplot as plt
pathlib.Path("d/sub").mkdir(parents=True)
pathlib.Path("d/a b é.txt").write_text("olá")
pathlib.Path("d/sub/empty.bin").write_bytes(b"")
big = os.urandom(20_000_000)
pathlib.Path("big.bin").write_bytes(big)
with mlflow.start_run() as run:
    mlflow.log_artifact("big.bin", "data")
    mlflow.log_artifacts("d", "tree")
    mlflow.log_artifact("d/a b é.txt")
    mlflow.log_dict({"x": [1, 2]}, "conf/d.json")
    mlflow.log_text("hi", "notes.txt")
    fig, ax = plt.subplots(); ax.plot([1, 2]); mlflow.log_figure(fig, "plots/curve.png")
rid = run.info.run_id
def walk(path=None):
    for f in client.list_artifacts(rid, path):
        if f.is_dir: yield from walk(f.path)
        else: yield [f.path, f.file_size]
listed = sorted(walk())
down = mlflow.artifacts.download_artifacts(run_id=rid, artifact_path="tree")
one = mlflow.artifacts.download_artifacts(artifact_uri=f"runs:/{rid}/data/big.bin")
everything = mlflow.artifacts.download_artifacts(run_id=rid)
print(json.dumps({
  "listed": [p for p, _ in listed if not p.endswith(".png")], "sizes": {p: s for p, s in listed if p.endswith(".bin")},
  "text": pathlib.Path(down, "a b é.txt").read_text(), "empty": pathlib.Path(down, "sub/empty.bin").stat().st_size,
  "big": pathlib.Path(one).read_bytes() == big,
  "dict": mlflow.artifacts.load_dict(f"runs:/{rid}/conf/d.json"),
  "png": pathlib.Path(everything, "plots/curve.png").read_bytes()[:4].hex(),
}))
`);
    assert.deepEqual(result, {
      listed: [
        'a b é.txt',
        'conf/d.json',
        'data/big.bin',
        'notes.txt',
        'tree/a b é.txt',
        'tree/sub/empty.bin',
      ],
      sizes: { 'data/big.bin': 20_000_000, 'tree/sub/empty.bin': null },
      text: 'olá',
      empty: 0,
      big: true,
      dict: { x: [1, 2] },
      png: '89504e47',
    });
  });

  it('falls back to one piece where the client would rather send several', async () => {
    const result = await run(`
os.environ["MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD"] = "true"
os.environ["MLFLOW_MULTIPART_UPLOAD_MINIMUM_FILE_SIZE"] = "5242880"
os.environ["MLFLOW_MULTIPART_UPLOAD_CHUNK_SIZE"] = "5242880"
content = os.urandom(12_000_000)
open("big.bin", "wb").write(content)
with mlflow.start_run() as run:
    mlflow.log_artifact("big.bin")
path = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="big.bin")
print(json.dumps(open(path, "rb").read() == content))
`);
    assert.equal(result, true);
  });

  it('sees the errors that the client expects', async () => {
    const result = await run(`
from mlflow.exceptions import MlflowException
def code(work):
    try: work()
    except MlflowException as e: return e.error_code
client.create_registered_model("m")
print(json.dumps([
  code(lambda: client.create_registered_model("m")),
  code(lambda: client.get_registered_model("nobody")),
  code(lambda: client.get_model_version("m", "1")),
  code(lambda: client.create_model_version("m", "file:///etc")),
  code(lambda: client.set_registered_model_alias("m", "latest", "1")),
  code(lambda: client.rename_registered_model("m", "a/b")),
  client.rename_registered_model("m", "n") or client.get_registered_model("n").name,
  code(lambda: client.delete_registered_model("n")),
  client.search_registered_models(),
]))
`);
    assert.deepEqual(result, [
      'RESOURCE_ALREADY_EXISTS',
      'RESOURCE_DOES_NOT_EXIST',
      'RESOURCE_DOES_NOT_EXIST',
      'INVALID_PARAMETER_VALUE',
      'INVALID_PARAMETER_VALUE',
      'INVALID_PARAMETER_VALUE',
      'n',
      null,
      [],
    ]);
  });
});
