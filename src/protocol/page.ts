import type { EngineEvent, EngineEvents, EngineMethod, EngineParams, EngineResult } from './engine.ts';
import type { ErrorData } from './errors.ts';

/** What a page shows. Kept in the page's own state, so that it comes back after a reload of the window. */
export type PageSubject =
  | { readonly page: 'run'; readonly folder: string; readonly runId: string }
  | { readonly page: 'drift'; readonly folder: string; readonly endpoint: string }
  | { readonly page: 'endpoint'; readonly folder: string; readonly endpoint: string };

export type PageType = PageSubject['page'];

/** What a page keeps with `setState`; the extension host gets it back to make the page again after a reload. */
export interface PageState {
  readonly subject: PageSubject;
  /** The person's choices on the page, such as an axis or an open folder. Only the page reads them. */
  readonly view: Readonly<Record<string, unknown>>;
}

/** What the page may ask the engine, through the extension host; anything else is refused there. */
export const pageMethods = {
  run: [
    'tracking/run',
    'tracking/metricSeries',
    'tracking/artifacts',
    'provenance/run',
    'provenance/packages',
  ],
  drift: ['monitoring/driftSources', 'monitoring/drift'],
  endpoint: ['serving/live', 'serving/describe', 'serving/loadTest'],
} as const satisfies Record<PageType, readonly EngineMethod[]>;

export type PageMethod = (typeof pageMethods)[PageType][number];

/** Commands on its endpoint that the endpoint's page has buttons for. */
export const endpointPageCommands = [
  'stopEndpoint',
  'sendTestRequest',
  'openTryPage',
  'copyEndpointAddress',
  'copyAsCurl',
  'copyAsPython',
  'copyAsTypeScript',
  'startRollout',
  'rollBackRollout',
  'promoteCandidate',
  'pauseRollout',
  'resumeRollout',
  'showEndpointLog',
  'showDrift',
] as const;
export type EndpointPageCommand = (typeof endpointPageCommands)[number];

/** Things that a page asks the extension host to do; the host runs the command of the same meaning. */
export type PageAction =
  | { readonly action: 'openArtifact'; readonly runId: string; readonly path: string }
  | { readonly action: 'registerModel'; readonly runId: string }
  | { readonly action: 'openRun'; readonly runId: string }
  | { readonly action: 'showChanges'; readonly runId: string }
  | { readonly action: 'chooseReferenceFile' }
  | { readonly action: 'endpointCommand'; readonly command: EndpointPageCommand }
  | { readonly action: 'startEndpoint'; readonly model: string; readonly version: number }
  | { readonly action: 'saveImage'; readonly name: string; readonly dataUrl: string }
  /** Comma-separated values. */
  | { readonly action: 'saveTable'; readonly name: string; readonly text: string };

/** From the page to the extension host. */
export type MessageFromPage =
  | { readonly type: 'ready' }
  | {
      [Method in PageMethod]: {
        readonly type: 'request';
        readonly id: number;
        readonly method: Method;
        readonly params: EngineParams<Method>;
      };
    }[PageMethod]
  | { readonly type: 'cancel'; readonly id: number }
  | ({ readonly type: 'action' } & PageAction);

/** From the extension host to the page. */
export type MessageToPage =
  /** The answer to `ready`. `trusted` false means that nothing may be started. */
  | { readonly type: 'show'; readonly subject: PageSubject; readonly trusted: boolean }
  | { readonly type: 'result'; readonly id: number; readonly result: EngineResult<PageMethod> }
  | { readonly type: 'error'; readonly id: number; readonly error: LocalizedError }
  | {
      [Event in EngineEvent]: {
        readonly type: 'event';
        readonly event: Event;
        readonly data: EngineEvents[Event];
      };
    }[EngineEvent]
  /** The person chose this file after `chooseReferenceFile`. */
  | { readonly type: 'referenceFile'; readonly file: string }
  /** The person wants to see this part of the page. */
  | { readonly type: 'reveal'; readonly part: PagePart };

/** Parts of pages that commands lead to. */
export type PagePart = 'loadTest';

/** An error with its texts in the person's language. */
export interface LocalizedError {
  readonly kind: ErrorData['kind'];
  readonly message: string;
  readonly remedy: string;
}
