import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { checkStore } from '../../src/worker/storeCheck.ts';
import { inTemporaryFolder, startHeadless } from './headless.ts';
import { endLeftProcesses } from './leftProcesses.ts';
import { type AcknowledgedWrite, type LoadKind, writeUntilItFails } from './loadClient.ts';

/** How many things each client writes; `SLIPWAY_TEST_SHARED_WRITES` for more. */
const writes = Number(process.env.SLIPWAY_TEST_SHARED_WRITES ?? 60);
/** The log is merged every 1,000 pages, but may grow while somebody reads or writes without a break. */
const largestLogBytes = 64 * 1024 * 1024;

describe('Four clients and two engines on one store', function () {
  this.timeout(120_000 + writes * 600);
  afterEach(endLeftProcesses);

  it(`never see "database is locked", and both engines show all that was written`, async () => {
    await inTemporaryFolder(async (workspace) => {
      const database = join(workspace, '.slipway', 'store.db');
      // At once, so that both create and migrate the store.
      const engines = await Promise.all([startHeadless(workspace), startHeadless(workspace)]);
      const kinds: readonly LoadKind[] = ['log', 'registry', 'runs', 'log'];
      const failures: unknown[] = [];
      let largestLog = 0;
      const written = await Promise.all(
        kinds.map(async (kind, client) => {
          const acknowledged: AcknowledgedWrite[] = [];
          const engine = engines[client % 2];
          assert.ok(engine);
          await writeUntilItFails(engine, kind, acknowledged, {
            enough() {
              largestLog = Math.max(largestLog, statSync(`${database}-wal`).size);
              return acknowledged.length >= writes;
            },
            failed: (error) => failures.push(error),
          });
          return acknowledged;
        }),
      );
      assert.deepEqual(failures.map(String), []);
      assert.ok(largestLog > 0 && largestLog < largestLogBytes, `a log of ${largestLog} bytes`);
      for (const acknowledged of written) {
        for (const { what, look } of acknowledged) {
          for (const [index, engine] of engines.entries()) {
            await look(engine).catch((error: unknown) => assert.fail(`engine ${index}: ${what}: ${error}`));
          }
        }
      }
      for (const engine of engines) assert.equal(await engine.stop(), 0);
      assert.deepEqual(
        checkStore(database, () => undefined),
        [],
      );
    });
  });
});
