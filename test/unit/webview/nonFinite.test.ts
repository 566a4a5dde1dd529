import assert from 'node:assert/strict';
import fc from 'fast-check';
import { decodeNonFinite, encodeNonFinite } from '../../../src/protocol/nonFinite.ts';

describe('numbers that JSON cannot hold', () => {
  it('come through it as they were, wherever they stand', () => {
    const { message } = fc.letrec((tie) => ({
      message: fc.oneof(
        { depthSize: 'small' },
        fc.double({ noDefaultInfinity: false }).filter((value) => !Object.is(value, -0)),
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('message'), { maxLength: 4 }),
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('message'), {
          maxKeys: 4,
          noNullPrototype: true,
        }),
      ),
    }));
    fc.assert(
      fc.property(message, (sent) => {
        assert.deepEqual(decodeNonFinite(JSON.parse(JSON.stringify(encodeNonFinite(sent)))), sent);
      }),
    );
  });

  it('leave typed arrays alone', () => {
    const values = Float64Array.of(1, Number.NaN);
    assert.equal(encodeNonFinite(values), values);
    assert.equal(decodeNonFinite(values), values);
  });
});
