import assert from 'node:assert/strict';
import { createSupervisor } from '../../src/engine/serving/supervisor.ts';
import type { Serving } from '../../src/engine/serving/supervisorTypes.ts';
import { SlipwayError } from '../../src/protocol/errors.ts';
import { startScorerProcess } from '../../src/supervision/scorerProcess.ts';
import { linearModel, slowModel } from '../fixtures/onnxFile.ts';
import { modelFile, removeFolder, scorerScript, temporaryFolder } from '../scorer/scorerProcess.ts';

const body = '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,3],"data":[1,2,3]}]}';

describe('A version whose loading blocks its process', function () {
  this.timeout(60_000);
  let folder: string;
  let linear: string;
  let endless: string;
  before(async () => {
    folder = await temporaryFolder();
    linear = await modelFile(folder, linearModel());
    // Warming it takes minutes, and is part of loading.
    endless = await modelFile(folder, slowModel(2400, 1000));
  });
  after(() => removeFolder(folder));

  const version = (number: number, file: string) => ({
    name: 'wine',
    version: number,
    source: { type: 'onnx' as const, file },
    columns: null,
    example: null,
  });
  const serving = (number: number, file: string, processes: number): Serving => ({
    models: [version(number, file)],
    traffic: [],
    processes,
    grpcPort: null,
    options: { inferenceLog: null, limits: { loadMilliseconds: 3_000 } },
  });
  function supervise() {
    let changed = () => undefined as unknown;
    const supervisor = createSupervisor({
      endpoint: 'wine',
      host: '127.0.0.1',
      lastPort: () => null,
      launch: ({ models, traffic, options }, doors, listener) =>
        startScorerProcess(
          scorerScript,
          {
            endpoint: 'wine',
            host: '127.0.0.1',
            token: null,
            models: [...models],
            traffic: [...traffic],
            ...options,
          },
          doors,
          listener,
        ),
      changed: () => void changed(),
      log: () => undefined,
    });
    return {
      supervisor,
      until: (wanted: () => boolean) =>
        new Promise<void>((resolve) => {
          changed = () => wanted() && resolve();
          changed();
        }),
      async ask() {
        const url = `http://127.0.0.1:${supervisor.status().port}/v2/models/wine/infer`;
        const init = {
          method: 'POST',
          body,
          headers: { 'content-type': 'application/json', connection: 'close' },
        };
        const { status } = await fetch(url, init);
        return status;
      },
    };
  }
  /** The process was ended, as nothing else stops what blocks it. */
  const wasEnded = (error: unknown, number: number) =>
    error instanceof SlipwayError &&
    error.kind === 'endpointFailed' &&
    error.message.includes(`version ${number} of "wine" took longer than 3000 ms to load`);
  /** On a machine so busy that the time is over before warming begins and blocks, the process finds out itself. */
  const foundOut = (error: unknown, number: number) =>
    error instanceof SlipwayError &&
    error.kind === 'modelUnreadable' &&
    error.message.includes(`version ${number} of "wine"`) &&
    error.message.includes('it took longer than 3 s to load');
  const tooLong = (number: number) => (error: unknown) => wasEnded(error, number) || foundOut(error, number);

  it('fails the start of its endpoint', async () => {
    const { supervisor } = supervise();
    await assert.rejects(supervisor.start(serving(1, endless, 1), null), tooLong(1));
    assert.equal(supervisor.status().state, 'failed');
    await supervisor.stop();
  });

  it('costs one process of those that answer, which comes back without it', async () => {
    const { supervisor, until, ask } = supervise();
    try {
      await supervisor.start(serving(1, linear, 2), null);
      const error = await supervisor.load(version(2, endless)).catch((reason: unknown) => reason);
      assert.ok(tooLong(2)(error), String(error));
      await until(() => supervisor.status().state === 'ready');
      assert.equal(supervisor.status().crashCount, wasEnded(error, 2) ? 1 : 0);
      assert.deepEqual(
        supervisor.versions().map((served) => served.version),
        [1],
      );
      assert.equal(await ask(), 200);
    } finally {
      await supervisor.stop();
    }
  });
});
