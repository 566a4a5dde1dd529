import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pythonWithPeers } from '../python.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import type { Workbench } from '../workbench/workbench.ts';
import { inSampleProject } from './inSampleProject.ts';
import { answerNotification, said } from './notifications.ts';
import { row, unfold } from './sideBar.ts';
import { enginePids } from './slipwayProcesses.ts';
import { openTerminal, outputOf } from './terminal.ts';
import { until } from './until.ts';

const model = 'lateness';

/** Logs a model that only Python can load, with its data. */
const script = `import mlflow
import pandas as pd
from sklearn.linear_model import LogisticRegression

flights = pd.read_csv("data/train.csv")
features = flights[["hour", "distance", "recent_delay"]].astype("float64")
mlflow.set_experiment("python")
with mlflow.start_run(run_name="logistic"):
    mlflow.log_input(mlflow.data.from_pandas(features, source="data/train.csv", name="flights"))
    mlflow.sklearn.log_model(
        LogisticRegression().fit(features, flights["late"]),
        name="model",
        input_example=features[:20],
        pip_requirements=["scikit-learn"],
        registered_model_name="${model}",
    )
`;

describe('a model that only Python can load, in a real VS Code', function () {
  this.timeout(300_000);

  it('is converted to ONNX after consent, registered when the person has seen the differences, and served', async function () {
    if (process.platform === 'win32') this.skip();
    const python = pythonWithPeers(this);
    await inSampleProject({ settings: { 'slipway.python': python } }, async (workbench, folder) => {
      const { page } = workbench;
      const picture = (name: string) =>
        workbench.screenshot(join(repository, 'out', 'journey', `convert-${name}.png`));
      await row(workbench, 'boosting-shallow').waitFor();
      await askToConvert(workbench);
      await said(workbench, 'No version can be converted to ONNX');

      await writeFile(join(folder, 'log_model.py'), script);
      // VS Code starts a terminal anew that was opened before its environment was known.
      await until('the engine', () => enginePids().length > 0);
      await openTerminal(workbench);
      await outputOf(workbench, `"${python}" log_model.py`, 120_000);
      await workbench.runCommand('View: Toggle Panel Visibility');
      await unfold(row(workbench, model, 'Models'));

      await askToConvert(workbench);
      const offered = page.locator('.quick-input-widget .monaco-list-row');
      await offered.filter({ hasText: `${model} v1` }).waitFor();
      assert.equal(await offered.count(), 1, 'versions that are ONNX already are not offered');
      await workbench.pick('Choose the version to convert to ONNX', model);
      const consent = page.locator('.monaco-dialog-box');
      await consent.filter({ hasText: `Let Python load version 1 of "${model}"?` }).waitFor();
      await consent.filter({ hasText: `Interpreter: ${python}` }).waitFor();
      await picture('consent');
      await consent.getByRole('button', { name: 'Run in Python' }).click();

      const preview = page.locator('.tab', { hasText: `Preview ${model}-v1-onnx` });
      await preview.waitFor({ timeout: 120_000 });
      const report = workbench.webview();
      await report.getByRole('heading', { name: `"${model}" v1 as ONNX` }).waitFor();
      await report.getByRole('heading', { name: 'Data of the run' }).waitFor();
      await report.getByRole('cell', { name: 'probabilities' }).first().waitFor();
      await picture('report');
      const same = `The ONNX model answers as version 1 of "${model}" does.`;
      await answerNotification(workbench, same, 'Register as New Version');
      await row(workbench, 'v2', 'Models').waitFor();
      await answerNotification(workbench, `Version 2 of "${model}" is registered.`, 'Start Endpoint');
      const endpoint = row(workbench, model, 'Endpoints');
      await endpoint.filter({ hasText: 'v2' }).filter({ hasText: 'ready' }).waitFor();
      await picture('served');
    });
  });
});

async function askToConvert(workbench: Workbench): Promise<void> {
  await workbench.runCommand('Slipway: Convert to ONNX');
}
