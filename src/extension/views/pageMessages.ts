import { z } from 'zod';
import { engineRequests } from '../../protocol/engine.ts';
import {
  endpointPageCommands,
  type PageMethod,
  type PageSubject,
  type PageType,
  pageMethods,
} from '../../protocol/page.ts';

/** Checks what comes from a page: pages show data from anywhere, so the host trusts nothing that they say. */

const id = z.number().int();

const messageFromPage = z.union([
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('request'), id, method: z.string(), params: z.unknown() }),
  z.object({ type: z.literal('cancel'), id }),
  z.object({
    type: z.literal('action'),
    action: z.literal('openArtifact'),
    runId: z.string().min(1),
    path: z.string().min(1),
  }),
  z.object({ type: z.literal('action'), action: z.literal('registerModel'), runId: z.string().min(1) }),
  z.object({ type: z.literal('action'), action: z.literal('openRun'), runId: z.string().min(1) }),
  z.object({ type: z.literal('action'), action: z.literal('showChanges'), runId: z.string().min(1) }),
  z.object({ type: z.literal('action'), action: z.literal('chooseReferenceFile') }),
  z.object({
    type: z.literal('action'),
    action: z.literal('saveImage'),
    name: z.string().max(256),
    dataUrl: z.string().startsWith('data:image/png;base64,'),
  }),
  z.object({
    type: z.literal('action'),
    action: z.literal('saveTable'),
    name: z.string().max(256),
    text: z.string(),
  }),
  z.object({
    type: z.literal('action'),
    action: z.literal('endpointCommand'),
    command: z.enum(endpointPageCommands),
  }),
  z.object({
    type: z.literal('action'),
    action: z.literal('startEndpoint'),
    model: z.string().min(1),
    version: z.number().int().positive(),
  }),
]);
export type CheckedMessage = z.infer<typeof messageFromPage>;

/** The message, or null when it has no known form. */
export function parseMessage(message: unknown): CheckedMessage | null {
  return messageFromPage.safeParse(message).data ?? null;
}

/** Whether pages of this type may ask this. */
export function isAllowed(page: PageType, method: string): method is PageMethod {
  const allowed: readonly string[] = pageMethods[page];
  return allowed.includes(method) && method in engineRequests;
}

const subject = z.union([
  z.object({ page: z.literal('run'), folder: z.string().min(1), runId: z.string().min(1) }),
  z.object({ page: z.literal('drift'), folder: z.string().min(1), endpoint: z.string().min(1) }),
  z.object({ page: z.literal('endpoint'), folder: z.string().min(1), endpoint: z.string().min(1) }),
]);

/** What a page kept before the window was reloaded, or null when it kept nothing that is understood. */
export function parsePageState(state: unknown): PageSubject | null {
  return z.object({ subject }).safeParse(state).data?.subject ?? null;
}
