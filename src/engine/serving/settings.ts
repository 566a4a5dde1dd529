import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { z } from 'zod';
import {
  type SettingsProblem,
  type SlipwaySettings,
  slipwaySettings,
} from '../../protocol/endpointSettings.ts';
import { type Detail, detail } from '../../protocol/errorDetails.ts';
import { settingMistake } from './settingMistakes.ts';

/** What a settings file says, or what is wrong with it. */
export type ReadSettings =
  | { readonly settings: SlipwaySettings; readonly written: WrittenPlans }
  | { readonly problems: readonly [SettingsProblem, ...SettingsProblem[]] };

/** Endpoints for which the file says itself how a new version comes in. */
export type WrittenPlans = ReadonlySet<string>;

/** More aliases of one anchor than this are an attack. */
const mostAliases = 100;

/** Reads the text of `slipway.yaml`. An empty one says nothing, which is fine. */
export function readSettings(text: string): ReadSettings {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const [unreadable, ...others] = document.errors.map(
    ({ message, pos }): SettingsProblem => ({ ...at(pos[0]), detail: message }),
  );
  if (unreadable) return { problems: [unreadable, ...others] };
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: mostAliases });
  } catch (error) {
    // An alias without an anchor, or far too many of them.
    return {
      problems: [{ line: 1, column: 1, detail: error instanceof Error ? error.message : String(error) }],
    };
  }
  const checked = slipwaySettings.safeParse(content ?? {});
  if (checked.success) return { settings: checked.data, written: writtenPlans(content) };
  const [first, ...rest] = checked.error.issues
    .flatMap((issue) => explain(issue, content))
    .map(({ path, ofKey, problem }) => ({
      ...at(offsetOf(document.contents, path, ofKey)),
      detail: path.length === 0 ? problem : detail('settingAt', { setting: writePath(path), problem }),
    }));
  return { problems: [first ?? { line: 1, column: 1, detail: checked.error.message }, ...rest] };
}

interface Explanation {
  readonly path: readonly PropertyKey[];
  /** Whether the name of the last part is what is wrong, not its value. */
  readonly ofKey: boolean;
  readonly problem: string | Detail;
}

function explain(issue: z.core.$ZodIssue, content: unknown): readonly Explanation[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...issue.path, key],
      ofKey: true,
      problem: detail('noSuchSetting'),
    }));
  }
  const given = valueAt(content, issue.path);
  const problem = settingMistake(issue, given);
  const isPlain = given === null || ['string', 'number', 'boolean'].includes(typeof given);
  const isSaid = issue.code === 'invalid_type' || !isPlain;
  return [
    {
      path: issue.path,
      ofKey: false,
      problem: isSaid ? problem : detail('settingGiven', { problem, given: JSON.stringify(given) }),
    },
  ];
}

function valueAt(content: unknown, path: readonly PropertyKey[]): unknown {
  let value = content;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = Reflect.get(value, part);
  }
  return value;
}

/** Where a part of the document begins; where it is not there, its nearest parent. */
function offsetOf(contents: Node | null, path: readonly PropertyKey[], ofKey: boolean): number {
  let node: unknown = contents;
  let offset = contents?.range?.[0] ?? 0;
  for (const [index, part] of path.entries()) {
    const pair = isMap(node)
      ? node.items.find(({ key }) => (isScalar(key) ? String(key.value) : String(key)) === String(part))
      : undefined;
    const child: unknown = pair ? pair.value : isSeq(node) ? node.items[Number(part)] : undefined;
    const isLast = index === path.length - 1;
    const place = pair && (child === null || (ofKey && isLast)) ? pair.key : child;
    const start = rangeStart(place);
    if (start === undefined) break;
    offset = start;
    node = isAlias(child) ? undefined : child;
  }
  return offset;
}

function rangeStart(node: unknown): number | undefined {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined;
}

/** Such as `endpoints.wine.rollout.steps[0].share`. */
function writePath(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function writtenPlans(content: unknown): WrittenPlans {
  const endpoints = valueAt(content, ['endpoints']);
  if (typeof endpoints !== 'object' || endpoints === null) return new Set();
  return new Set(
    Object.entries(endpoints).flatMap(([name, settings]) =>
      valueAt(settings, ['rollout']) === undefined ? [] : name,
    ),
  );
}
