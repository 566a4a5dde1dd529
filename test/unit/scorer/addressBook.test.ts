import assert from 'node:assert/strict';
import { createAddressBook } from '../../../src/scorer/addressBook.ts';
import { json, openRoute, type Protocol } from '../../../src/scorer/routing.ts';

function protocol(first: string, asked: string[]): Protocol {
  const route = openRoute(() => json(200, first));
  return {
    find(path) {
      asked.push(path.join('/'));
      return path.length === 2 ? route : null;
    },
    owns: ([part]) => part === first,
    nothingAt: () => '',
    problem: ({ status }) => json(status, ''),
  };
}

describe('The addresses of a scorer', () => {
  it('are looked up once where there is a route, and give the same again', () => {
    const asked: string[] = [];
    const protocols = [protocol('a', asked), protocol('b', asked)];
    const find = createAddressBook(protocols);
    for (let time = 0; time < 3; time++) {
      const { path, protocol: owner, route } = find('/b/caf%C3%A9');
      assert.deepEqual(path, ['b', 'café']);
      assert.equal(owner, protocols[1]);
      assert.ok(route);
      assert.equal(find('/a').route, null);
      assert.deepEqual(find('/c/d'), { path: ['c', 'd'], protocol: null, route: null });
      assert.deepEqual(find('/%'), { path: null, protocol: null, route: null });
    }
    assert.deepEqual(asked, ['b/café', 'a', 'a', 'a']);
  });

  it('are forgotten before there are too many of them', () => {
    const asked: string[] = [];
    const find = createAddressBook([protocol('a', asked)]);
    for (let name = 0; name < 1000; name++) find(`/a/${name}`);
    find('/a/0');
    find(`/a/${'x'.repeat(300)}`);
    find(`/a/${'x'.repeat(300)}`);
    assert.equal(asked.length, 1003);
  });
});
