import assert from 'node:assert/strict';
import { join } from 'node:path';
import { checkStore } from '../../src/worker/storeCheck.ts';
import { inTemporaryFolder, startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { type AcknowledgedWrite, loadKinds, writeUntilItFails } from './loadClient.ts';

/** `SLIPWAY_TEST_KILL_ROUNDS=200` is the full number. */
const rounds = Number(process.env.SLIPWAY_TEST_KILL_ROUNDS ?? 12);
/** Two clients of each kind. */
const clients = [...loadKinds, ...loadKinds];

describe('kill -9 of the engine under load', function () {
  this.timeout(60_000 + rounds * 20_000);
  afterEach(endLeftProcesses);

  it(`loses no acknowledged write, in ${rounds} rounds with ${clients.length} clients`, async () => {
    await inTemporaryFolder(async (workspace) => {
      let engine = await startHeadless(workspace);
      for (let round = 0; round < rounds; round += 1) {
        const acknowledged: AcknowledgedWrite[] = [];
        const running = engine;
        const writing = clients.map((kind) => writeUntilItFails(running, kind, acknowledged));
        const enough = 5 + Math.floor(Math.random() * 150);
        while (acknowledged.length < enough) await new Promise((resolve) => setImmediate(resolve));
        await engine.kill();
        await Promise.all(writing);

        assert.deepEqual(
          checkStore(join(workspace, '.slipway', 'store.db'), () => undefined),
          [],
          `round ${round}`,
        );
        engine = await startHeadless(workspace);
        for (const { what, look } of acknowledged) {
          await look(engine).catch((error: unknown) => {
            assert.fail(`round ${round}: lost ${what}: ${error}`);
          });
        }
      }
      assert.equal(await engine.stop(), 0);
    });
  });
});
