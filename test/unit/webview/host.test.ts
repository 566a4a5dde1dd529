import assert from 'node:assert/strict';
import type { MessageFromPage, MessageToPage, PageState } from '../../../src/protocol/page.ts';
import { createHost, pageStateFrom, RequestError } from '../../../src/webview/components/host.ts';

function connect() {
  const incoming = new EventTarget();
  const sent: MessageFromPage[] = [];
  let state: unknown;
  const host = createHost(
    {
      postMessage: (message) => sent.push(message),
      getState: () => state,
      setState: (next) => {
        state = next;
      },
    },
    incoming,
  );
  const receive = (data: unknown) => incoming.dispatchEvent(new MessageEvent('message', { data }));
  return { host, sent, receive: (message: MessageToPage) => receive(message), receiveAnything: receive };
}

const endpoint = { endpoint: 'churn' };

describe('the line to the extension host', () => {
  it('ties each answer to its request, in whatever order they come', async () => {
    const { host, sent, receive } = connect();
    const first = host.request('monitoring/driftSources', endpoint);
    const second = host.request('monitoring/driftSources', { endpoint: 'other' });
    const [one, two] = sent;
    assert.ok(one?.type === 'request' && two?.type === 'request' && one.id !== two.id);
    const answer = { endpoint: '', references: [], firstRequest: null, lastRequest: null, rowCount: 0 };
    receive({ type: 'result', id: two.id, result: { ...answer, endpoint: 'other' } });
    receive({ type: 'result', id: one.id, result: { ...answer, endpoint: 'churn' } });
    assert.equal((await first).endpoint, 'churn');
    assert.equal((await second).endpoint, 'other');
  });

  it('fails with the localized error', async () => {
    const { host, receive } = connect();
    const request = host.request('monitoring/driftSources', endpoint);
    receive({
      type: 'error',
      id: 1,
      error: { kind: 'notFound', message: 'Gone.', remedy: 'Look elsewhere.' },
    });
    await assert.rejects(
      request,
      (error) => error instanceof RequestError && error.error.kind === 'notFound',
    );
  });

  it('tells the host to stop when a request is aborted, and ignores an answer that comes too late', async () => {
    const { host, sent, receive } = connect();
    const abort = new AbortController();
    const request = host.request('monitoring/driftSources', endpoint, abort.signal);
    abort.abort();
    await assert.rejects(
      request,
      (error) => error instanceof RequestError && error.error.kind === 'cancelled',
    );
    assert.deepEqual(sent.at(-1), { type: 'cancel', id: 1 });
    receive({ type: 'error', id: 1, error: { kind: 'cancelled', message: '', remedy: '' } });
  });

  it('asks nothing for a signal that is aborted already', async () => {
    const { host, sent } = connect();
    await assert.rejects(host.request('monitoring/driftSources', endpoint, AbortSignal.abort()));
    assert.deepEqual(sent, []);
  });

  it('passes events on by their name until it is told to stop', () => {
    const { host, receive } = connect();
    const seen: unknown[] = [];
    const stop = host.onEvent('serving/changed', (data) => seen.push(data));
    receive({ type: 'event', event: 'registry/changed', data: { models: [] } });
    receive({ type: 'event', event: 'serving/changed', data: { endpoints: ['churn'] } });
    stop();
    receive({ type: 'event', event: 'serving/changed', data: { endpoints: ['late'] } });
    assert.deepEqual(seen, [{ endpoints: ['churn'] }]);
  });

  it('does not stumble over messages of others', () => {
    const { receiveAnything } = connect();
    for (const message of [null, 'text', { type: 7 }, { source: 'another extension' }])
      receiveAnything(message);
  });

  it('keeps its state and reads back only what has its shape', () => {
    const { host } = connect();
    assert.equal(host.readState(), null);
    const state: PageState = {
      subject: { page: 'run', folder: 'file:///work', runId: 'abc' },
      view: { smoothing: 0.6 },
    };
    host.writeState(state);
    assert.deepEqual(host.readState(), state);
    for (const other of [
      null,
      {},
      { subject: { page: 'run', folder: 'f' }, view: {} },
      { ...state, view: null },
    ]) {
      assert.equal(pageStateFrom(other), null);
    }
  });
});
