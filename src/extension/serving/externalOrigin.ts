import { env, Uri } from 'vscode';

/** Whether the endpoints of this window run on another machine than the one that the person sits at. */
export function isRemote(): boolean {
  return env.remoteName !== undefined;
}

/**
 * Where the endpoint at a URL is reached from the person's own computer. In a remote window its port is forwarded to
 * there, from now on.
 */
export async function externalOrigin(url: string): Promise<string> {
  // Only the origin is asked for: paths with escapes do not survive every remote.
  const external = await env.asExternalUri(Uri.parse(new URL(url).origin, true));
  return external.toString(true).replace(/\/+$/, '');
}
