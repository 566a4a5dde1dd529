import assert from 'node:assert/strict';
import { commandLine } from '../../../src/webview/tracking/commandLine.ts';

describe('command line', () => {
  it('quotes what a shell would take apart, and no secret that was left out', () => {
    assert.equal(
      commandLine(['python', 'train.py', '--data', 'my data/*.csv', '', "it's", '--key=***', '***', 'a=b']),
      "python train.py --data 'my data/*.csv' '' 'it'\\''s' --key=*** *** a=b",
    );
  });
});
