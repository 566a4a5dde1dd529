/** Rows by level of a categorical column; missing values are not among them. */
export type LevelCounts = ReadonlyMap<string, number>;

/** Rows of either side in one group of levels. */
export interface GroupCounts {
  readonly reference: number;
  readonly current: number;
}

export interface GroupedLevels {
  /** Each with at least five rows of the smaller side to be expected. */
  readonly groups: readonly GroupCounts[];
  /** The levels left over, too rare for that; null when there are none. */
  readonly sparse: GroupCounts | null;
}

/** Fewer expected rows in a group than this, and chi-square is no longer a fair approximation (Cochran's rule). */
export const expectedRows = 5;

/**
 * Groups levels so that each group has enough rows for a chi-square test.
 *
 * Levels are taken in the order of their rows on both sides together and pooled with the next ones until five rows of
 * the smaller side are to be expected in the group, were there no drift. That looks at the sums of both sides only,
 * never at how they split, so it does not bend the test. Equally frequent levels are taken in the order of a hash of
 * their text: identifiers and free text, each level seen once, spread evenly and do not look like drift.
 */
export function groupLevels(reference: LevelCounts, current: LevelCounts): GroupedLevels {
  const levels = new Map<string, GroupCounts>();
  for (const [level, count] of reference) levels.set(level, { reference: count, current: 0 });
  for (const [level, count] of current) {
    levels.set(level, { reference: levels.get(level)?.reference ?? 0, current: count });
  }
  const ordered = [...levels]
    .map(([level, counts]) => ({
      level,
      counts,
      rows: counts.reference + counts.current,
      hash: hashOf(level),
    }))
    .sort((a, b) => b.rows - a.rows || a.hash - b.hash || (a.level < b.level ? -1 : 1));

  const referenceRows = sumOf(reference);
  const currentRows = sumOf(current);
  const smallerShare = Math.min(referenceRows, currentRows) / (referenceRows + currentRows);
  const groups: GroupCounts[] = [];
  let open: GroupCounts = { reference: 0, current: 0 };
  for (const { counts } of ordered) {
    open = { reference: open.reference + counts.reference, current: open.current + counts.current };
    if ((open.reference + open.current) * smallerShare >= expectedRows) {
      groups.push(open);
      open = { reference: 0, current: 0 };
    }
  }
  return { groups, sparse: open.reference + open.current > 0 ? open : null };
}

/** 32-bit FNV-1a over the text's UTF-16 units, then MurmurHash3's finaliser, as texts that count up differ at their end. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

export interface CategoricalHistogram {
  /** Most frequent first. */
  readonly levels: readonly string[];
  /** Whether the last of `levels` stands for all further ones. */
  readonly hasOther: boolean;
  readonly reference: readonly number[];
  readonly current: readonly number[];
}

/** The most frequent levels of both sides together, by the mean of their shares; the rest as "other". */
export function categoricalHistogram(
  reference: LevelCounts,
  current: LevelCounts,
  mostLevels = 20,
): CategoricalHistogram {
  const referenceRows = Math.max(sumOf(reference), 1);
  const currentRows = Math.max(sumOf(current), 1);
  // The mean of the shares but for a factor: of shares that are rounded, equal ones may differ.
  const weightOf = (level: string): number =>
    (reference.get(level) ?? 0) * currentRows + (current.get(level) ?? 0) * referenceRows;
  const rows = [...new Set([...reference.keys(), ...current.keys()])]
    .sort((a, b) => weightOf(b) - weightOf(a) || (a < b ? -1 : 1))
    .map((level) => ({
      level,
      reference: (reference.get(level) ?? 0) / referenceRows,
      current: (current.get(level) ?? 0) / currentRows,
    }));
  const hasOther = rows.length > mostLevels;
  const shown = hasOther ? rows.slice(0, mostLevels - 1) : rows;
  if (hasOther) {
    const rest = rows.slice(mostLevels - 1);
    shown.push({
      level: 'other',
      reference: rest.reduce((sum, row) => sum + row.reference, 0),
      current: rest.reduce((sum, row) => sum + row.current, 0),
    });
  }
  return {
    levels: shown.map((row) => row.level),
    hasOther,
    reference: shown.map((row) => row.reference),
    current: shown.map((row) => row.current),
  };
}

/** How many rows the levels have together. */
export function sumOf(counts: LevelCounts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
