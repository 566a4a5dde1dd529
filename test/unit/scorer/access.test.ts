import assert from 'node:assert/strict';
import { type AccessOptions, createAccess } from '../../../src/scorer/access.ts';

describe('Who may speak to a scorer', () => {
  const open = (options: Partial<AccessOptions> = {}) => {
    const access = createAccess({ host: '127.0.0.1', token: null, ...options });
    return {
      access,
      admits: (host: string | undefined, origin?: string) =>
        access.refusal({ headers: { ...(host === undefined ? {} : { host }), ...(origin && { origin }) } })
          ?.status ?? 200,
    };
  };
  const named = ['models.example.com', '10.0.0.5', '[fd00::1]'];

  it('on a loopback address: who names one, and no other name', () => {
    const { admits } = open();
    for (const host of ['localhost', 'LocalHost:1', '127.0.0.1:65535', '[::1]:80']) {
      assert.equal(admits(host), 200, host);
    }
    for (const host of [undefined, '', ...named, '127.0.0.1.example.com', 'localhost.', '127.0.0.2']) {
      assert.equal(admits(host), 403, host);
    }
  });

  it('also who asks by a name that was named, in any case and at any port', () => {
    const { admits } = open({ hosts: named });
    for (const host of [
      'models.example.com',
      'MODELS.Example.com',
      'models.example.com:8443',
      '10.0.0.5:80',
      '[FD00::1]:80',
      '[fd00::1]',
      'localhost:80',
    ]) {
      assert.equal(admits(host), 200, host);
    }
  });

  it('nobody by a name that only begins or ends like it, or hides it', () => {
    const { admits } = open({ hosts: named });
    for (const host of [
      'models.example.com.evil.example',
      'models.example.comx',
      'evil-models.example.com',
      'sub.models.example.com',
      'example.com',
      'com',
      'models.example.com.',
      ' models.example.com',
      'models.example.com ',
      'evil.example@models.example.com',
      'models.example.com@evil.example',
      'models.example.com:80@evil.example',
      'models.example.com:80:80',
      'models.example.com:evil.example',
      'models.example.com,evil.example',
      'models.example.com/evil.example',
      'http://models.example.com',
      'fd00::1',
      '[fd00::1]evil.example',
      '10.0.0.50',
      '',
    ]) {
      assert.equal(admits(host), 403, host);
      assert.equal(admits('models.example.com'), 200);
    }
  });

  it('by a name that is named while it runs, and by no other', () => {
    const { access, admits } = open();
    assert.equal(admits('models.example.com'), 403);
    access.serveHost('models.example.com');
    assert.equal(admits('models.example.com:1'), 200);
    assert.equal(admits('other.example.com'), 403);
  });

  it('no page but one of the host that it asks, with or without encryption before it', () => {
    const { admits } = open({ hosts: named });
    for (const [host, origin] of [
      ['models.example.com', 'https://models.example.com'],
      ['models.example.com', 'http://models.example.com'],
      ['MODELS.example.com', 'https://models.example.com'],
      ['models.example.com:443', 'https://models.example.com'],
      ['models.example.com:80', 'http://models.example.com'],
      ['models.example.com:8443', 'https://models.example.com:8443'],
      ['[fd00::1]:8443', 'https://[fd00::1]:8443'],
      ['127.0.0.1:5000', 'http://127.0.0.1:5000'],
    ] as const) {
      assert.equal(admits(host, origin), 200, `${host} ${origin}`);
    }
    for (const [host, origin] of [
      ['models.example.com', 'https://10.0.0.5'],
      ['models.example.com', 'https://models.example.com.evil.example'],
      ['models.example.com', 'https://evil.example/models.example.com'],
      ['models.example.com', 'https://models.example.com:8443'],
      ['models.example.com:8443', 'https://models.example.com'],
      ['models.example.com:80', 'https://models.example.com'],
      ['models.example.com:443', 'http://models.example.com'],
      ['models.example.com', 'ftp://models.example.com'],
      ['models.example.com', 'models.example.com'],
      ['models.example.com', 'null'],
      ['127.0.0.1:5000', 'https://models.example.com'],
      ['127.0.0.1:5000', 'http://127.0.0.1:5001'],
      ['127.0.0.1:5000', 'http://localhost:5000'],
    ] as const) {
      assert.equal(admits(host, origin), 403, `${host} ${origin}`);
    }
  });

  it('on an address that other machines reach: whatever name they have for it, but no page of another', () => {
    const { admits } = open({ host: '0.0.0.0', hosts: named });
    assert.equal(admits('any.example'), 200);
    assert.equal(admits('any.example', 'https://any.example'), 200);
    assert.equal(admits('any.example', 'https://models.example.com'), 403);
  });
});
