import { fill, type Translate, wordedAll } from './errorDetails.ts';
import { type ErrorKind, type ErrorValues, errorCatalogue, toSlipwayError } from './errors.ts';

/**
 * What is said of endpoints, their rollouts and how they run best, in plain English with named places. The editor looks the same
 * texts up in its translations; the log and the command line take them as they are.
 */
export const servingSentences = {
  // Of an endpoint.
  answersWith: 'It answers with version {version}.',
  answersNoMore: 'It answers no more.',
  endpointIsDeleted: '{who} deleted the endpoint.',
  modelWasDeleted: 'The model was deleted.',
  versionWasDeleted: 'Version {version} was deleted.',
  serves: 'It serves version {version} of "{model}".',
  servesAnotherModel: 'The endpoint serves another model now.',
  stableFromNextStart: 'Version {version} is the stable version from its next start on.',
  settingsTookEffect: 'Its settings changed, and new processes took over.',
  logKeepsShare: 'Its inference log keeps {share} of the requests from now on.',
  processEnded: 'One of its processes ended unasked and is started again.',
  processEndedInRun:
    'A process was ended, as a run of version {version} of "{model}" took too long, and is started again.',

  // Why a version comes in.
  isInStage: 'It is in the stage {stage} now.',
  hasAlias: 'It has the alias "{alias}" now.',
  isNamedBySettings: 'slipway.yaml names it.',
  isServedBy: '{who} has version {version} served.',
  takesItsPlace: 'Version {version} takes its place.',
  reason: 'Reason: {why}',

  // Of a rollout.
  comesInAsCanary: {
    one: 'Version {candidate} comes in for version {stable}, as a canary in 1 step.',
    other: 'Version {candidate} comes in for version {stable}, as a canary in {count} steps.',
  },
  comesInForRewardTest: 'Version {candidate} comes in beside version {stable}, in an A/B test of the reward.',
  comesInForQualityTest:
    'Version {candidate} comes in beside version {stable}, in an A/B test of the quality.',
  comesInForErrorTest:
    'Version {candidate} comes in beside version {stable}, in an A/B test of the error rate.',
  comesInAsShadow: 'Version {candidate} comes in as the shadow of version {stable}.',
  comesInAsArm: 'Version {candidate} comes in beside version {stable}, as an arm of a bandit.',
  comesInAtOnce: 'Version {candidate} comes in for version {stable}, all at once.',
  getsShare: 'Version {candidate} gets {share} of the requests (step {step} of {steps}).',
  getsShareByRewards:
    'Version {candidate} gets {share} of the requests: so likely are its rewards the higher ones.',
  checksPassed: 'Its checks passed.',
  shadowPassed: 'It passed all checks as a shadow.',
  planIsDirect: 'The plan brings it in all at once.',
  waitsForConfirmation: 'This step asks for a confirmation.',
  hasNoJudgement: {
    one: 'After 1 look there is no judgement.',
    other: 'After {count} looks there is no judgement.',
  },
  timeIsOver: 'Its time is over, and nothing was decided.',
  processEndedByUnknown:
    'A process of the endpoint ended unasked, and nothing tells which version it was: look at the log before it goes on.',
  processEndedByCandidate: {
    one: 'A process of the endpoint was ended while it ran version {candidate}.',
    other: 'Processes of the endpoint were ended while they ran version {candidate}, {count} times.',
  },
  processesEndedSince:
    'Processes of the endpoint ended unasked {count} times since version {candidate} gets requests, and not once before.',
  pausedBy: '{who} paused it.',
  resumedBy: '{who} let it go on.',
  rolledBackBy: '{who} rolled it back.',
  calledOffBy: '{who} called it off while it was being loaded.',
  takenBackBy: '{who} took the promotion back.',
  isStable: 'Version {version} is the stable version now.',
  isBetter: 'Version {version} is better.',
  answersAgain: 'Version {version} answers all requests again.',
  cannotBeServed: 'Version {version} cannot be served.',
  settingsNameAnother:
    'slipway.yaml still names version {named}. Write version {version} there, so that it is served wherever that file is used.',

  // Of the registry.
  registryRefused: 'The registry did not take version {version} into Production.',
  registryKept: 'The registry was not brought to what is served.',
  stageTakenBack: 'Version {candidate} is in the stage {former} again.',
  stageGivenBack: 'Version {candidate} is in the stage {former} again, and version {stable} in {stage}.',
  aliasGivenBack: 'The alias "{alias}" names version {stable} again.',
  stageServedElsewhere:
    'Version {candidate} stays in the stage {stage}, as the endpoint "{endpoint}" serves it.',
  aliasServedElsewhere:
    'The alias "{alias}" stays at version {candidate}, as the endpoint "{endpoint}" serves it.',

  // Of checks.
  checkNotKnown:
    '{metric} is not known yet: a judgement needs {needed}, there are {candidateSamples} of version {candidate}.',
  checkNotKnownOfBoth:
    '{metric} is not known yet: a judgement needs {needed} of each, there are {candidateSamples} of version {candidate} and {stableSamples} of version {stable}.',
  checkAlone: '{metric} of version {candidate} is {value} ({candidateSamples}); expected: {expected}.',
  checkBeside:
    '{metric} of version {candidate} is {value} ({candidateSamples}) beside {stableValue} of version {stable} ({stableSamples}); expected: {expected}.',
  errorRate: 'The error rate',
  latencyP50: 'The median latency',
  latencyP95: 'The 95th percentile of the latency',
  latencyP99: 'The 99th percentile of the latency',
  predictionDrift: 'The drift of the predictions',
  quality: 'The quality',
  reward: 'The mean reward',
  agreement: 'The agreement',
  atMost: 'at most {bound}',
  atLeast: 'at least {bound}',
  atMostTimes: 'at most {ratio} times as much',
  atLeastTimes: 'at least {ratio} times as much',
  indexAtMost: 'an index of at most {bound}',
  noMoreThanChance: 'no more than chance allows',
  noLowerThanChance: 'no lower than chance allows',
  noHigherThanChance: 'no higher than chance allows',
  differenceBeyondChance: 'a difference beyond chance',
  bothOf: '{one} and {other}',

  // Of the way in which an endpoint runs best, and why.
  requestsNotJoined: 'Requests are not joined: batches of up to {rows} rows answer {compared}.',
  requestsJoined: 'Requests that are there at the same time are joined, up to {rows} rows.',
  requestsJoinedBesideNone:
    'Requests that are there at the same time are joined, up to {rows} rows: {compared} as without joining.',
  onlyOneThread: 'One thread: this machine has one processor core.',
  moreThreads: {
    one: '{threads} threads in one run: {compared} as with 1 thread.',
    other: '{threads} threads in one run: {compared} as with {count} threads.',
  },
  enoughThreads: {
    one: '1 thread in one run: {threads} threads answer {compared}.',
    other: '{count} threads in one run: {threads} threads answer {compared}.',
  },
  threadsSpin: 'More threads spin while they wait for each other.',
  onlyOneProcess: 'One process: the processor cores are taken by its threads, or there is one.',
  moreProcesses: {
    one: '{processes} processes share the port: {compared} as 1 process.',
    other: '{processes} processes share the port: {compared} as {count} processes.',
  },
  enoughProcesses: {
    one: '1 process: {processes} answer {compared}, which is not worth it.',
    other: '{count} processes: {processes} answer {compared}, which is not worth it.',
  },
  memoryBeside: 'Memory: {chosen} MB instead of {other} MB.',
  machineWasBusy:
    'The machine was busy with other things: the rounds of a way differ by a median of {spread} times. Measure again when it is quiet.',
  measuredOnce:
    'Each way was measured once, and briefly: where figures are close to each other, the next time may say otherwise.',
  timesAsManyRequests: '{times} times as many requests',
  asManyRequests: 'as many requests',
} as const satisfies Record<string, string | { readonly one: string; readonly other: string }>;

export type SentenceKind = keyof typeof servingSentences;

/** A text of the catalogue with its values; `count` chooses between one and several. */
export interface Phrase {
  readonly kind: SentenceKind;
  readonly values: Readonly<Record<string, SentenceValue>>;
}

/** Plain numbers are names, such as a version's; one with a unit is written as the reader's language writes it. */
export type SentenceValue =
  | number
  | string
  /** Between 0 and 1. */
  | { readonly share: number }
  | { readonly milliseconds: number }
  | { readonly figure: number }
  | Phrase;

export type Sentence =
  | Phrase
  | { readonly error: { readonly kind: ErrorKind; readonly values: ErrorValues } }
  /** What a person wrote, or an older Slipway. */
  | { readonly text: string };

/** Sentences that follow one another. */
export type Saying = readonly Sentence[];

export function phrase(kind: SentenceKind, values: Phrase['values'] = {}): Phrase {
  return { kind, values };
}

/** What a person gave as the reason; nothing when they gave none. */
export function because(why: string): Saying {
  return why.trim() === '' ? [] : [phrase('reason', { why: why.trim() })];
}

/** Why something went wrong. */
export function errorSentence(thrown: unknown): Sentence {
  const { kind, values } = toSlipwayError(thrown);
  return { error: { kind, values } };
}

/** How a reader's language writes things. */
export interface Speech {
  /** The translation of an English text with named places. */
  readonly translate: Translate;
  readonly share: (share: number) => string;
  readonly latency: (milliseconds: number) => string;
  readonly figure: (value: number) => string;
}

const english: Speech = {
  translate: fill,
  share: (share) => `${Number((share * 100).toPrecision(4))} %`,
  latency: (milliseconds) => `${Number(milliseconds.toPrecision(3))} ms`,
  figure: (value) => String(Number(value.toPrecision(4))),
};

/** Puts what the engine says into words. */
export function say(saying: Saying, speech: Speech = english): string {
  return saying.map((one) => sayOne(one, speech)).join(' ');
}

function sayOne(said: Sentence, speech: Speech): string {
  if ('text' in said) return said.text;
  if ('error' in said) {
    const { kind, values } = said.error;
    return speech.translate(errorCatalogue[kind].message, wordedAll(values, speech.translate));
  }
  return sayPhrase(said, speech);
}

function sayPhrase({ kind, values }: Phrase, speech: Speech): string {
  const known = servingSentences[kind];
  const text = typeof known === 'string' ? known : values.count === 1 ? known.one : known.other;
  const written = Object.entries(values).map(([name, value]) => [name, write(value, speech)]);
  return speech.translate(text, Object.fromEntries(written));
}

function write(value: SentenceValue, speech: Speech): string | number {
  if (typeof value !== 'object') return value;
  if ('share' in value) return speech.share(value.share);
  if ('milliseconds' in value) return speech.latency(value.milliseconds);
  return 'figure' in value ? speech.figure(value.figure) : sayPhrase(value, speech);
}

/** Every text of the catalogue. */
export const servingTexts: readonly string[] = Object.values(servingSentences).flatMap((text) =>
  typeof text === 'string' ? [text] : [text.one, text.other],
);
