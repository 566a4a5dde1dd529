import assert from 'node:assert/strict';
import { classifierModel, type ElementType, identityModel, linearModel } from '../fixtures/onnxFile.ts';
import { pythonWithPeers } from '../python.ts';
import { type InferenceServer, serverToken, startInferenceServer } from '../scorer/inferenceServer.ts';
import { removeFolder, temporaryFolder } from '../scorer/scorerProcess.ts';
import { assertCheck, runPeerChecks } from './peerChecks.ts';

const datatypes: Readonly<Record<string, ElementType>> = {
  BOOL: 'bool',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  FP16: 'float16',
  FP32: 'float',
  FP64: 'double',
  BYTES: 'string',
};

const httpChecks = [
  'health',
  'metadata',
  'configuration',
  'repository',
  'statistics',
  'infer with bytes and with JSON',
  'no rows',
  'every datatype as bytes',
  'every datatype, bytes and JSON mixed',
  'texts of bytes',
  'classification',
  'packed requests and packed answers',
  'requests side by side',
  'the client of asyncio',
  'a generated body',
  'errors',
];

const grpcChecks = [
  'health',
  'metadata',
  'configuration',
  'repository',
  'statistics',
  'infer',
  'every datatype as bytes',
  'every datatype as typed contents',
  'classification',
  'packed messages',
  'requests side by side',
  'a stream',
  'the client of asyncio',
  'errors',
];

describe("Triton's own clients", function () {
  this.timeout(120_000);
  let python: string;
  let folder: string;
  let server: InferenceServer;
  before(async function () {
    python = pythonWithPeers(this, 'SLIPWAY_TEST_PYTHON_SERVING');
    folder = await temporaryFolder();
    const inputs = Object.entries(datatypes).map(([name, element]) => ({ name, element, shape: ['rows'] }));
    const typed = inputs.filter(({ name }) => name !== 'FP16');

    server = await startInferenceServer(folder, [
      { name: 'wine', version: 3, model: linearModel() },
      { name: 'wine', version: 4, model: linearModel() },
      { name: 'iris', version: 1, model: classifierModel(['a', 'b', 'c']) },
      { name: 'all', version: 1, model: identityModel(inputs) },
      { name: 'typed', version: 1, model: identityModel(typed) },
    ]);
  });
  after(async () => {
    if (!server) return;
    await server.close();
    await removeFolder(folder);
    assert.deepEqual(server.unforeseen, []);
  });

  const suites = [
    { title: 'over HTTP', script: 'triton_http_checks.py', checks: httpChecks, door: 'http' },
    { title: 'over gRPC', script: 'triton_grpc_checks.py', checks: grpcChecks, door: 'grpc' },
  ] as const;
  for (const { title, script, checks, door } of suites) {
    describe(title, () => {
      let results: ReadonlyMap<string, string | null>;
      before(async () => {
        results = await runPeerChecks(python, script, [server[door], serverToken]);
      });
      for (const check of checks) it(check, () => assertCheck(results, check));
      it('and nothing else was checked', () => assert.deepEqual([...results.keys()], checks));
    });
  }
});
