import type { LocalizedError, MessageFromPage, MessageToPage, PageSubject } from '../../src/protocol/page.ts';

/** A question of a page. */
export type Request = Extract<MessageFromPage, { readonly type: 'request' }>;

/** Stands in for the extension host: answers as the engine would. Thrown `FailedRequest`s become `error` messages. */
export interface FakeHost {
  readonly subject: PageSubject;
  readonly trusted: boolean;
  answer(request: Request): unknown;
}

/** A failure that the fake host answers with. */
export class FailedRequest extends Error {
  readonly error: LocalizedError;

  constructor(error: LocalizedError) {
    super(error.message);
    this.error = error;
  }
}

/** The message that answers a request of the page. */
export async function replyTo(host: FakeHost, request: Request): Promise<MessageToPage> {
  try {
    return { type: 'result', id: request.id, result: (await host.answer(request)) as never };
  } catch (error) {
    if (error instanceof FailedRequest) return { type: 'error', id: request.id, error: error.error };
    throw error;
  }
}
