import { type Disposable, type Event, EventEmitter, type WorkspaceFolder, workspace } from 'vscode';
import { SlipwayError } from '../../protocol/errors.ts';
import type { EngineClient, EngineListener } from './client.ts';

/** The engines of the window: one for each workspace folder on this machine. */
export interface EngineFolders extends Disposable {
  readonly all: readonly EngineClient[];
  /** Those that can be read: in a workspace that is not trusted, the ones that have a store already. */
  readable(): Promise<readonly EngineClient[]>;
  /**
   * The readable ones, for a command that needs one.
   *
   * @throws SlipwayError noWorkspaceFolder or workspaceUntrusted when there is none.
   */
  needed(): Promise<readonly EngineClient[]>;
  /**
   * The engine of a folder, named by its URI.
   *
   * @throws SlipwayError noWorkspaceFolder when it is not open (any more).
   */
  of(folder: string): EngineClient;
  /** A folder came or went, or an engine changed its state. */
  readonly onDidChange: Event<void>;
  /** Called for each engine now and for each that comes; what it gives is disposed of when the folder goes. */
  withEach(visit: (client: EngineClient) => Disposable): Disposable;
  /** Events of all engines. */
  listen(listener: (client: EngineClient) => EngineListener): Disposable;
  /** Ends all engine processes. */
  close(): Promise<void>;
}

/** Keeps one engine client for each folder of the workspace, as folders come and go. */
export function createEngineFolders(create: (folder: WorkspaceFolder) => EngineClient): EngineFolders {
  const clients = new Map<string, EngineClient>();
  const visits = new Set<(client: EngineClient) => Disposable>();
  const held = new Map<EngineClient, Map<unknown, Disposable>>();
  const changed = new EventEmitter<void>();
  const closing = new Set<Promise<void>>();

  const visitOne = (client: EngineClient, visit: (client: EngineClient) => Disposable) => {
    held.get(client)?.set(visit, visit(client));
  };
  const add = (folder: WorkspaceFolder) => {
    if (folder.uri.scheme !== 'file') return;
    const client = create(folder);
    clients.set(client.id, client);
    held.set(client, new Map([[client, client.onDidChangeState(() => changed.fire())]]));
    for (const visit of visits) visitOne(client, visit);
  };
  const remove = (client: EngineClient) => {
    clients.delete(client.id);
    for (const disposable of held.get(client)?.values() ?? []) disposable.dispose();
    held.delete(client);
    const ending = client.close().finally(() => closing.delete(ending));
    closing.add(ending);
  };

  for (const folder of workspace.workspaceFolders ?? []) add(folder);
  const subscription = workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
    for (const folder of removed) {
      const client = clients.get(folder.uri.toString());
      if (client) remove(client);
    }
    for (const folder of added) add(folder);
    changed.fire();
  });

  const withEach = (visit: (client: EngineClient) => Disposable): Disposable => {
    visits.add(visit);
    for (const client of clients.values()) visitOne(client, visit);
    return {
      dispose() {
        visits.delete(visit);
        for (const disposables of held.values()) {
          disposables.get(visit)?.dispose();
          disposables.delete(visit);
        }
      },
    };
  };

  const readable = async (): Promise<readonly EngineClient[]> => {
    const all = [...clients.values()];
    const flags = await Promise.all(all.map((client) => client.canRead()));
    return all.filter((_, index) => flags[index]);
  };

  return {
    get all() {
      return [...clients.values()];
    },
    readable,
    async needed() {
      if (clients.size === 0) throw new SlipwayError('noWorkspaceFolder');
      const found = await readable();
      if (found.length === 0) throw new SlipwayError('workspaceUntrusted');
      return found;
    },
    of(folder) {
      const client = clients.get(folder);
      if (!client) throw new SlipwayError('noWorkspaceFolder');
      return client;
    },
    onDidChange: changed.event,
    withEach,
    listen: (listener) => withEach((client) => client.onAny(listener(client))),
    async close() {
      subscription.dispose();
      for (const client of [...clients.values()]) remove(client);
      await Promise.all(closing);
    },
    dispose() {
      subscription.dispose();
      changed.dispose();
    },
  };
}
