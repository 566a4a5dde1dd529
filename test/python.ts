import type { PythonVariable } from './toolchain/pythonPeers.ts';

/**
 * A Python interpreter that has real peers: those of `test/requirements.txt` (mlflow, scikit-learn, scipy, ...), the
 * last MLflow 2, or other trackers. The test launcher finds or makes it and names it in `variable`. Without one the
 * test is skipped on a developer's machine and fails in CI.
 */
export function pythonWithPeers(
  context: Mocha.Context,
  variable: PythonVariable = 'SLIPWAY_TEST_PYTHON',
): string {
  const python = process.env[variable];
  if (python) return python;
  if (process.env.CI) throw new Error(`No Python in ${variable}: in CI that is a failure.`);
  context.skip();
}
