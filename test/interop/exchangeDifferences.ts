import { isDeepStrictEqual } from 'node:util';
import type { ComparableExchange } from './comparableExchange.ts';

/** A place where two servers did not answer alike. */
export interface ExchangeDifference {
  readonly step: string;
  readonly call: string;
  /** Such as `body.run.info.start_time`; list positions are numbers. */
  readonly at: string;
  readonly ours: unknown;
  readonly theirs: unknown;
  readonly request: unknown;
}

/** A kind of difference that there is to be. */
export interface AllowedDifference {
  /** Such as `POST /api/2.0/mlflow/runs/log-inputs`. */
  readonly call: RegExp;
  /** The places in the answer. */
  readonly at: RegExp;
  /** In which step alone; in any unless said. */
  readonly step?: string;
  /** Why it is better so; a difference without a reason is a mistake. */
  readonly reason: string;
}

/** All differences between the answers of two recordings; that the calls were others too is the first of them. */
export function differencesBetween(
  ours: readonly ComparableExchange[],
  theirs: readonly ComparableExchange[],
): readonly ExchangeDifference[] {
  const found: ExchangeDifference[] = [];
  for (const [index, mine] of ours.entries()) {
    const other = theirs[index];
    const { step, call, request } = mine;
    if (other?.call !== call || !isDeepStrictEqual(other.request, request)) {
      found.push({
        step,
        call,
        at: 'the call itself',
        ours: request,
        theirs: other && { call: other.call, request: other.request },
        request,
      });
      // What follows is answered to other questions.
      return found;
    }
    for (const place of placesOfDifference('', mine.answer, other.answer))
      found.push({ step, call, request, ...place });
  }
  return found;
}

export function isAllowed({ step, call, at }: ExchangeDifference, allowed: AllowedDifference): boolean {
  return (allowed.step ?? step) === step && allowed.call.test(call) && allowed.at.test(at);
}

function placesOfDifference(
  at: string,
  ours: unknown,
  theirs: unknown,
): readonly Pick<ExchangeDifference, 'at' | 'ours' | 'theirs'>[] {
  if (isDeepStrictEqual(ours, theirs)) return [];
  const isPlain = (value: unknown): value is object => typeof value === 'object' && value !== null;
  if (!isPlain(ours) || !isPlain(theirs) || Array.isArray(ours) !== Array.isArray(theirs)) {
    return [{ at, ours, theirs }];
  }
  const [mine, other] = [new Map(Object.entries(ours)), new Map(Object.entries(theirs))];
  return [...new Set([...mine.keys(), ...other.keys()])].flatMap((key) =>
    placesOfDifference(at === '' ? key : `${at}.${key}`, mine.get(key), other.get(key)),
  );
}
