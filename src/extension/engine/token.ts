import { randomBytes } from 'node:crypto';
import type { SecretStorage } from 'vscode';

/** The token of a workspace folder's engine: made once, kept in VS Code's secret storage. */
export async function engineToken(secrets: SecretStorage, folder: string): Promise<string> {
  const key = `slipway.token:${folder}`;
  const kept = await secrets.get(key);
  if (kept !== undefined) return kept;
  const token = randomBytes(32).toString('base64url');
  await secrets.store(key, token);
  return token;
}
