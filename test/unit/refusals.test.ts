import assert from 'node:assert/strict';
import { type ErrorKind, explainRefusal, SlipwayError, toSlipwayError } from '../../src/protocol/errors.ts';

describe('A refusal of SQLite or of the file system', () => {
  const refusal = (code: string) => Object.assign(new Error(`${code}: not now`), { code });
  const kinds: readonly (readonly [code: string, kind: ErrorKind])[] = [
    ['SQLITE_FULL', 'diskFull'],
    ['ENOSPC', 'diskFull'],
    ['EDQUOT', 'diskFull'],
    ['EFBIG', 'diskFull'],
    ['SQLITE_READONLY_DBMOVED', 'storeNotWritable'],
    ['SQLITE_IOERR_WRITE', 'storeNotWritable'],
    ['EROFS', 'storeNotWritable'],
    ['SQLITE_CORRUPT_INDEX', 'storeDamaged'],
    ['SQLITE_NOTADB', 'storeDamaged'],
    ['SQLITE_BUSY_SNAPSHOT', 'storeBusy'],
  ];

  for (const [code, kind] of kinds) {
    it(`${code} is ${kind}, with a remedy, whoever tells it`, () => {
      const explained = explainRefusal(refusal(code), '/data/.slipway');
      assert.ok(explained instanceof SlipwayError);
      assert.equal(explained.kind, kind);
      assert.match(explained.message, /\/data\/\.slipway/);
      assert.ok(explained.remedy.length > 10);
      assert.equal(toSlipwayError(refusal(code)).kind, kind);
    });
  }

  it('of a folder that cannot be created is one, though Node says that it is not there', () => {
    const thrown = Object.assign(refusal('ENOENT'), { syscall: 'mkdir' });
    const explained = explainRefusal(thrown, '/data');
    assert.ok(explained instanceof SlipwayError);
    assert.equal(explained.kind, 'storeNotWritable');
  });

  it('is told apart from what is no refusal, and from one that was explained', () => {
    for (const thrown of [refusal('ENOENT'), refusal('SQLITE_ERROR'), new Error('no code'), 'text']) {
      assert.equal(explainRefusal(thrown, '/data'), thrown);
      assert.equal(toSlipwayError(thrown).kind, 'internal');
    }
    const explained = new SlipwayError('notFound', { detail: 'x' });
    assert.equal(explainRefusal(explained, '/data'), explained);
    // Any file may be one that one may not read.
    assert.equal(toSlipwayError(refusal('EACCES')).kind, 'internal');
  });
});
