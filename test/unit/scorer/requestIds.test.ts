import assert from 'node:assert/strict';
import { newRequestId } from '../../../src/scorer/requestIds.ts';

describe('Ids of requests', () => {
  it('are 32 hexadecimal digits each, and all different', () => {
    const ids = Array.from({ length: 1000 }, newRequestId);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
    assert.equal(new Set(ids).size, ids.length);
  });
});
