/**
 * The Python interpreter that has the real peers (mlflow, scikit-learn, scipy, ...) of `test/requirements.txt`.
 * The test launcher finds or makes it and names it in `SLIPWAY_TEST_PYTHON`. Without one the test is skipped on a
 * developer's machine and fails in CI.
 */
export function pythonWithPeers(context: Mocha.Context): string {
  const python = process.env.SLIPWAY_TEST_PYTHON;
  if (python) return python;
  if (process.env.CI)
    throw new Error('No Python with the peers of test/requirements.txt: in CI that is a failure.');
  context.skip();
}
