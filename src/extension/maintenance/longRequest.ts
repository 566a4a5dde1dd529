import { type Disposable, type Progress, ProgressLocation, window } from 'vscode';
import type { EngineMethod, EngineParams, EngineResult } from '../../protocol/engine.ts';
import { toSlipwayError } from '../../protocol/errors.ts';
import type { EngineClient } from '../engine/client.ts';

/**
 * Asks for something that takes a while, under a notification that says how far it is and can cancel it.
 *
 * @param whenCancelled said when the person cancelled it, where something of it stays.
 * @throws SlipwayError `cancelled`, or what the engine answered.
 */
export async function askForLong<Method extends EngineMethod>(
  client: EngineClient,
  title: string,
  method: Method,
  params: EngineParams<Method>,
  whenCancelled?: string,
): Promise<EngineResult<Method>> {
  return window.withProgress(
    { location: ProgressLocation.Notification, title, cancellable: true },
    async (progress, cancellation) => {
      const following = followProgress(client, method, progress);
      try {
        return await client.request(method, params, cancellation);
      } catch (error) {
        const wasCancelled = toSlipwayError(error).category === 'cancelled';
        if (wasCancelled && whenCancelled) void window.showInformationMessage(whenCancelled);
        throw error;
      } finally {
        following.dispose();
      }
    },
  );
}

/** Moves the bar of a notification as the engine tells how far a request is. */
export function followProgress(
  client: EngineClient,
  method: EngineMethod,
  progress: Progress<{ readonly increment: number }>,
): Disposable {
  let shown = 0;
  return client.on('job/progress', (told) => {
    if (told.method !== method) return;
    const percent = Math.floor(100 * told.fraction);
    progress.report({ increment: Math.max(0, percent - shown) });
    shown = Math.max(shown, percent);
  });
}
