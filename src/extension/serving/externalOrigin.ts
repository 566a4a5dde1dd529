import { env, Uri } from 'vscode';
import { loopbackNames } from '../../protocol/hostName.ts';
import type { EndpointDescription } from '../../protocol/serving.ts';
import type { EngineClient } from '../engine/client.ts';

/** Whether the endpoints of this window run on another machine than the one that the person sits at. */
export function isRemote(): boolean {
  return env.remoteName !== undefined;
}

/**
 * Where an endpoint is reached from the person's own computer. In a remote window its port is forwarded to there, from
 * now on; where that is by another host name, such as that of an editor in the browser, the endpoint serves it, too.
 */
export async function externalOrigin(
  client: Pick<EngineClient, 'request'>,
  { endpoint, inferUrl }: Pick<EndpointDescription, 'endpoint' | 'inferUrl'>,
): Promise<string> {
  // Only the origin is asked for: paths with escapes do not survive every remote.
  const external = await env.asExternalUri(Uri.parse(new URL(inferUrl).origin, true));
  const origin = external.toString(true).replace(/\/+$/, '');
  const host = new URL(origin).hostname;
  if (!loopbackNames.includes(host))
    await client.request('serving/serveHost', { endpoint: endpoint.name, host });
  return origin;
}
