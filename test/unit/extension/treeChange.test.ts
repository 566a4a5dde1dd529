import assert from 'node:assert/strict';
import { type ShownRows, top, treeChange } from '../../../src/extension/views/treeChange.ts';
import type { TreeNode } from '../../../src/extension/views/treeNode.ts';

const row = (id: string, label = id): TreeNode => ({
  id,
  folder: 'file:///a',
  item: { label },
  children: null,
});
const rows = (lists: Readonly<Record<string, readonly TreeNode[]>>): ShownRows =>
  new Map(Object.entries(lists));
const labels = (nodes: readonly TreeNode[] | undefined) => nodes?.map(({ item }) => item.label);

describe('what changed in a tree', () => {
  it('is nothing when the rows look as before', () => {
    const before = rows({ [top]: [row('a'), row('b')], a: [row('a1')] });
    const now = rows({ [top]: [row('a'), row('b')], a: [row('a1')] });
    assert.deepEqual(treeChange(before, now).changed, []);
  });

  it('is a row that looks otherwise, and it keeps its identity', () => {
    const run = row('a1', 'running');
    const before = rows({ [top]: [row('a')], a: [run, row('a2')] });
    const { changed, shown } = treeChange(
      before,
      rows({ [top]: [row('a')], a: [row('a1', 'done'), row('a2')] }),
    );
    assert.deepEqual(changed, [run]);
    assert.equal(run.item.label, 'done');
    assert.ok(shown.get('a')?.[0] === run);
  });

  it('is the row above those that came, went or moved', () => {
    for (const below of [['a2'], ['a1', 'a2', 'a3'], ['a2', 'a1']]) {
      const experiment = row('a');
      const before = rows({ [top]: [experiment], a: [row('a1'), row('a2')] });
      const { changed, shown } = treeChange(
        before,
        rows({ [top]: [row('a')], a: below.map((id) => row(id)) }),
      );
      assert.deepEqual(changed, [experiment]);
      assert.deepEqual(labels(shown.get('a')), below);
    }
  });

  it('is all when the topmost rows are others', () => {
    const { changed } = treeChange(rows({ [top]: [] }), rows({ [top]: [row('a')] }));
    assert.equal(changed, 'all');
  });

  it('leaves alone what was unfolded or folded in the meantime', () => {
    const before = rows({ [top]: [row('a'), row('b')], b: [row('b1')] });
    const now = rows({ [top]: [row('a'), row('b')], a: [row('a1')] });
    const { changed, shown } = treeChange(before, now);
    assert.deepEqual(changed, []);
    assert.deepEqual([...shown.keys()], [top, 'b']);
    assert.deepEqual(labels(shown.get('b')), ['b1']);
  });

  it('forgets what was below rows that went', () => {
    const before = rows({ [top]: [row('a'), row('b')], b: [row('b1')] });
    const { shown } = treeChange(before, rows({ [top]: [row('a')] }));
    assert.deepEqual([...shown.keys()], [top]);
  });

  it('sees a tooltip that changed, though VS Code keeps its text apart', () => {
    const hinted = (text: string): TreeNode => ({ ...row('a'), item: { label: 'a', tooltip: text } });
    assert.notDeepEqual(
      treeChange(rows({ [top]: [hinted('one')] }), rows({ [top]: [hinted('two')] })).changed,
      [],
    );
  });
});
