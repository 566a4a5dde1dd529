import assert from 'node:assert/strict';
import { join } from 'node:path';
import { pythonWithPeers } from '../python.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { walkJourney } from './walkJourney.ts';

describe('the journey, in a real VS Code with the real Python client', function () {
  this.timeout(600_000);

  it('trains, registers, promotes, serves and watches', async function () {
    if (process.platform === 'win32') this.skip();
    const findings = await walkJourney({
      python: pythonWithPeers(this),
      theme: 'dark',
      picture: (name, workbench) => workbench.screenshot(join(repository, 'out', 'journey', `${name}.png`)),
    });
    assert.match(findings.curve, /\d/, 'the curve says its points');
    assert.match(findings.confirmation, /version 2 of "flight-delays"/i);
    assert.match(findings.confirmation, /takes the place of version 1, which will be archived/);
    assert.ok(
      findings.models.some((text) => /v2.*Production/.test(text)),
      findings.models.join('\n'),
    );
    assert.ok(
      findings.models.some((text) => /v1.*Archived/.test(text)),
      findings.models.join('\n'),
    );
    assert.match(findings.replay, /^Hit rate \d+\.\d%/);
    assert.deepEqual([...findings.driftedColumns].sort(), ['day_delay', 'recent_delay', 'week_delay']);
    assert.deepEqual([...findings.steadyColumns].sort(), [
      'departures',
      'distance',
      'hour',
      'origin',
      'weekday',
    ]);
  });
});
