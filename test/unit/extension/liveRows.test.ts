import assert from 'node:assert/strict';
import { createLiveRows } from '../../../src/extension/views/liveRows.ts';
import type { TreeNode } from '../../../src/extension/views/treeNode.ts';

/** What an engine would answer: the names of the rows below a name, or of the topmost ones below ''. */
type Content = Record<string, readonly string[] | Error>;

function liveRowsOf(content: Content) {
  const asked: string[] = [];
  const failed: unknown[] = [];
  const read = async (above: string): Promise<readonly TreeNode[]> => {
    asked.push(above);
    const names = content[above] ?? [];
    if (names instanceof Error) throw names;
    return names.map((id) => ({
      id,
      folder: 'file:///a',
      item: { label: id },
      children: id in content ? () => read(id) : null,
    }));
  };
  const rows = createLiveRows(
    () => read(''),
    (error) => failed.push(error),
  );
  return { rows, asked, failed };
}

function named(rows: readonly TreeNode[], id: string): TreeNode {
  const found = rows.find((row) => row.id === id);
  assert.ok(found, id);
  return found;
}

const idsOf = (rows: readonly TreeNode[]) => rows.map(({ id }) => id);

describe('the rows of a tree that are unfolded', () => {
  it('are read once, and again only when that is asked for', async () => {
    const content: Content = { '': ['a'], a: ['a1'] };
    const { rows, asked } = liveRowsOf(content);
    const a = named(await rows.below(undefined), 'a');
    assert.deepEqual(idsOf(await rows.below(a)), ['a1']);
    await rows.below(a);
    assert.deepEqual(asked, ['', 'a']);
    content.a = ['a1', 'a2'];
    assert.deepEqual(await rows.readAgain(), [a]);
    assert.deepEqual(idsOf(await rows.below(a)), ['a1', 'a2']);
    assert.deepEqual(asked, ['', 'a', '', 'a']);
  });

  it('are the same for all who ask while they are read, whoever is answered first', async () => {
    const answers: ((rows: readonly TreeNode[]) => void)[] = [];
    const rows = createLiveRows(
      () => new Promise((resolve) => answers.push(resolve)),
      () => {},
    );
    const row = (): TreeNode => ({ id: 'a', folder: 'file:///a', item: { label: 'a' }, children: null });
    const asked = [rows.below(undefined), rows.below(undefined)];
    answers[1]?.([row()]);
    const second = await asked[1];
    answers[0]?.([row()]);
    assert.ok((await asked[0])?.[0] === second?.[0]);
    assert.ok((await rows.below(undefined))[0] === second?.[0]);
  });

  it('are not read while they are folded, and are brought up to date when they are unfolded', async () => {
    const content: Content = { '': ['a'], a: ['run'], run: ['part'] };
    const { rows, asked } = liveRowsOf(content);
    const a = named(await rows.below(undefined), 'a');
    const run = named(await rows.below(a), 'run');
    await rows.below(run);
    asked.length = 0;

    rows.fold(a);
    content.run = ['part', 'other'];
    assert.deepEqual(await rows.readAgain(), []);
    assert.deepEqual(asked, ['']);

    assert.equal(rows.unfold(a), true);
    assert.deepEqual(await rows.readAgain(), [run]);
    assert.deepEqual(asked, ['', '', 'a', 'run']);
    assert.ok((await rows.below(a))[0] === run);
  });

  it('need not be read again when they are unfolded for the first time', async () => {
    const { rows } = liveRowsOf({ '': ['a'], a: ['a1'] });
    assert.equal(rows.unfold(named(await rows.below(undefined), 'a')), false);
  });

  it('are read anew when they were folded and forgotten by who asks', async () => {
    const content: Content = { '': ['a'], a: ['a1'] };
    const { rows } = liveRowsOf(content);
    const a = named(await rows.below(undefined), 'a');
    await rows.below(a);
    rows.fold(a);
    content.a = ['a2'];
    assert.deepEqual(idsOf(await rows.below(a)), ['a2']);
    assert.equal(rows.unfold(a), false);
  });

  it('are forgotten', async () => {
    const { rows, asked } = liveRowsOf({ '': ['a'], a: ['a1'] });
    await rows.below(undefined);
    rows.forget();
    assert.deepEqual(await rows.readAgain(), []);
    assert.deepEqual(asked, ['']);
    await rows.below(undefined);
    assert.deepEqual(asked, ['', '']);
  });
});

describe('rows that cannot be read', () => {
  const error = new Error('no answer');

  it('count as none, and say why although others can be read', async () => {
    const content: Content = { '': ['alpha', 'beta'], alpha: error, beta: ['b1'] };
    const { rows, failed } = liveRowsOf(content);
    const top = await rows.below(undefined);
    assert.deepEqual(await rows.below(named(top, 'alpha')), []);
    await rows.below(named(top, 'beta'));
    assert.equal(rows.failure, error);
    await rows.readAgain();
    assert.equal(rows.failure, error);
    assert.deepEqual(failed, [error, error]);
  });

  it('are silent once they can be read', async () => {
    const content: Content = { '': ['alpha'], alpha: error };
    const { rows } = liveRowsOf(content);
    const alpha = named(await rows.below(undefined), 'alpha');
    await rows.below(alpha);
    content.alpha = ['a1'];
    assert.deepEqual(await rows.readAgain(), [alpha]);
    assert.equal(rows.failure, undefined);
  });

  for (const [what, change] of [
    ['went', (content: Content) => Object.assign(content, { '': ['beta'] })],
    ['were forgotten', (_, rows) => rows.forget()],
    ['were folded', (_, rows, alpha) => rows.fold(alpha)],
  ] as readonly [
    string,
    (content: Content, rows: ReturnType<typeof createLiveRows>, alpha: TreeNode) => void,
  ][]) {
    it(`are silent once they ${what}`, async () => {
      const content: Content = { '': ['alpha', 'beta'], alpha: error, beta: [] };
      const { rows } = liveRowsOf(content);
      const alpha = named(await rows.below(undefined), 'alpha');
      await rows.below(alpha);
      change(content, rows, alpha);
      await rows.readAgain();
      assert.equal(rows.failure, undefined);
    });
  }

  it('say why when they are unfolded while others are read again', async () => {
    let answer = () => {};
    const slowly = () =>
      new Promise<readonly TreeNode[]>((resolve) => {
        answer = () => resolve([]);
      });
    const node = (id: string, children: TreeNode['children']): TreeNode => ({
      id,
      folder: 'file:///a',
      item: { label: id },
      children,
    });
    const alpha = node('alpha', async () => {
      throw error;
    });
    const beta = node('beta', slowly);
    const rows = createLiveRows(
      async () => [alpha, beta],
      () => {},
    );
    await rows.below(undefined);
    const unfolding = rows.below(beta);
    answer();
    await unfolding;

    answer = () => {};
    const idle = answer;
    const again = rows.readAgain();
    while (answer === idle) await Promise.resolve();
    await rows.below(alpha);
    answer();
    await again;
    assert.equal(rows.failure, error);
  });
});
