import assert from 'node:assert/strict';
import { sentenceOf } from '../../../src/cli/storeCommand.ts';
import { detail } from '../../../src/protocol/errorDetails.ts';
import { type ErrorKind, errorCatalogue, SlipwayError } from '../../../src/protocol/errors.ts';

describe('what the command line says of a failure', () => {
  it('names no output channel, as it has none', () => {
    const ended = new SlipwayError('endpointFailed', { endpoint: 'wine', detail: detail('scorerEnded') });
    assert.equal(sentenceOf(ended), 'The endpoint "wine" stopped: its process has ended. Start it again.');
    for (const kind of Object.keys(errorCatalogue) as ErrorKind[]) {
      assert.doesNotMatch(sentenceOf(new SlipwayError(kind)), /channel/i);
    }
  });
});
