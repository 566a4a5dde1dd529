import assert from 'node:assert/strict';
import { linearModel } from '../fixtures/onnxFile.ts';
import { pythonWithPeers } from '../python.ts';
import { type InferenceServer, serverToken, startInferenceServer } from '../scorer/inferenceServer.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { assertCheck, runPeerChecks } from './peerChecks.ts';

const checks = [
  'V1: alive, ready and predictions',
  'V2: alive and ready',
  'V2: predictions with JSON and with bytes',
  'V2: errors',
  'gRPC: alive, ready and predictions',
  'gRPC: errors',
  'gRPC: load and unload as KServe numbers their fields',
];

describe("KServe's own clients", function () {
  this.timeout(120_000);
  let folder: string;
  let server: InferenceServer;
  let results: ReadonlyMap<string, string | null>;
  before(async function () {
    const python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_SERVING');
    folder = await temporaryFolder();
    server = await startInferenceServer(folder, [
      { name: 'wine', version: 3, model: linearModel() },
      { name: 'wine', version: 4, model: linearModel() },
    ]);
    results = await runPeerChecks(python, 'kserve_checks.py', [server.http, server.grpc, serverToken]);
  });
  after(async () => {
    if (!server) return;
    await server.close();
    await removeFolder(folder);
    assert.deepEqual(server.unforeseen, []);
  });

  for (const check of checks) it(check, () => assertCheck(results, check));
  it('and nothing else was checked', () => assert.deepEqual([...results.keys()], checks));
});
