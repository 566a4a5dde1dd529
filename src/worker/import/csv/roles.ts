import type { ColumnFacts } from './columnFacts.ts';

/** What a column of a table with one run a line is. */
export type Role =
  | 'runId'
  | 'name'
  | 'status'
  | 'startTime'
  | 'endTime'
  | 'duration'
  | 'user'
  | 'experiment'
  | 'artifactUri'
  | 'parameter'
  | 'metric'
  | 'tag'
  | 'nothing';

/** A column with its role. */
export interface RunColumn {
  readonly index: number;
  readonly role: Role;
  /** Of a parameter, metric or tag: its name. */
  readonly key: string;
  /** Whether the role was guessed from the name and the values. */
  readonly isGuessed: boolean;
}

const metricWords =
  /(^|[^a-z0-9])(loss|acc|accuracy|auc|auroc|roc|f1|precision|recall|rmse|mse|mae|mape|r2|scores?|errors?|perplexity|ppl|bleu|rouge\w*|iou|miou|map|psnr|ssim|reward|return|latency|runtime|train|val|valid|validation|test|eval|best)([^a-z]|$)/i;
const parameterWords =
  /(^|[^a-z0-9])(lr|rate|epochs?|seed|depth|layers?|units|hidden|dropout|momentum|decay|alpha|beta\d?|gamma|lambda|eta|eps|epsilon|l1|l2|n|num|max|min|kernel|optimizer|activation|size|batch|dims?|heads?|workers|warmup|c|solver|penalty|tol|criterion|subsample|colsample\w*|folds?|degree|neighbors|split|fraction)([^a-z]|$)/i;
/** Both at once, such as `test_size`; these are parameters. */
const parameterOfSplit = /(size|split|fraction|seed|batch\w*|rate)$/i;

/** What speaks against a column being a parameter, a metric or a tag, from 0 (nothing) on. */
export interface RoleCost {
  readonly parameter: number;
  readonly metric: number;
  readonly tag: number;
}

const impossible = 1000;

/** @param textAsMetric what speaks against texts among the metrics. */
export function roleCost({ name, isNumeric, isWhole }: ColumnFacts, textAsMetric = impossible): RoleCost {
  if (name.startsWith('mlflow.')) return { parameter: 5, metric: impossible, tag: 0 };
  if (!isNumeric) return { parameter: 0, metric: textAsMetric, tag: 0.05 };
  if (metricWords.test(name) && !parameterOfSplit.test(name)) return { parameter: 0.6, metric: 0, tag: 0.8 };
  if (parameterWords.test(name)) return { parameter: 0, metric: 0.6, tag: 0.8 };
  return isWhole ? { parameter: 0.1, metric: 0.05, tag: 0.3 } : { parameter: 0.15, metric: 0, tag: 0.4 };
}

/** The likeliest role of a column that stands for itself. */
export function likeliestRole(facts: ColumnFacts): 'parameter' | 'metric' {
  const cost = roleCost(facts);
  return cost.metric < cost.parameter ? 'metric' : 'parameter';
}

/**
 * Splits columns into groups that follow one another in a known order, as exports write them: each group in the order of its
 * names. Finds the split against which least speaks.
 *
 * @param groups such as parameters, metrics, tags.
 * @param textAsMetric as in `roleCost`.
 * @returns the role of each column.
 */
export function splitIntoGroups(
  columns: readonly ColumnFacts[],
  groups: readonly (keyof RoleCost)[],
  textAsMetric?: number,
): readonly (keyof RoleCost)[] {
  const costs = columns.map((column) => roleCost(column, textAsMetric));
  const outOfOrder = 1;
  // The least cost of the columns so far when the last of them is in each group, and where that group began.
  let best = groups.map((_, group) => ({ cost: group === 0 ? 0 : 0.001 * group, roles: noRoles }));
  for (const [index, cost] of costs.entries()) {
    const isDescent = index > 0 && (columns[index - 1]?.name ?? '') > (columns[index]?.name ?? '');
    best = groups.map((role, group) => {
      const stay = best[group];
      const comeFrom = best.slice(0, group).reduce(cheaper, never);
      const staying = {
        cost: (stay?.cost ?? impossible) + (isDescent && index > 0 ? outOfOrder : 0),
        roles: stay?.roles ?? noRoles,
      };
      const { cost: before, roles } = cheaper(staying, comeFrom);
      return { cost: before + cost[role], roles: { role, before: roles } };
    });
  }
  const { roles } = best.reduce(cheaper, never);
  return unrolled(roles);
}

/** Roles of the columns so far, the last one first. */
type RoleChain = { readonly role: keyof RoleCost; readonly before: RoleChain } | null;
interface Split {
  readonly cost: number;
  readonly roles: RoleChain;
}

const noRoles: RoleChain = null;
const never: Split = { cost: Number.POSITIVE_INFINITY, roles: null };

function cheaper(one: Split, other: Split): Split {
  return one.cost <= other.cost ? one : other;
}

function unrolled(chain: RoleChain): readonly (keyof RoleCost)[] {
  const roles: (keyof RoleCost)[] = [];
  for (let link = chain; link !== null; link = link.before) roles.push(link.role);
  return roles.reverse();
}
