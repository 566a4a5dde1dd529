import assert from 'node:assert/strict';
import { complaintAboutNode } from '../../src/supervision/nodeVersion.ts';

describe('The Node.js that Slipway runs in', () => {
  it('is complained about when it is older than the native modules', () => {
    assert.match(complaintAboutNode('20.20.2') ?? '', /needs Node\.js 22 or newer, and this is 20\.20\.2/);
    assert.match(complaintAboutNode('9.11.0') ?? '', /this is 9\.11\.0/);
  });

  it('is welcome from 22 on', () => {
    for (const version of ['22.0.0', '24.21.0', '100.0.0-nightly'])
      assert.equal(complaintAboutNode(version), null);
  });
});
