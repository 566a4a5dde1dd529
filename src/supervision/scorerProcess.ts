import { fork } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { fromErrorData, SlipwayError } from '../protocol/errors.ts';
import {
  type ScorerCommandInput,
  type ScorerMessage,
  type ScorerOptionsInput,
  type ServedVersion,
  scorerDoor,
  scorerOptionsVariable,
} from '../protocol/scorer.ts';
import type { Door } from './door.ts';

/** What a scorer says of itself when it is ready. */
export type ScorerReady = Extract<ScorerMessage, { type: 'ready' }>;
export type ScorerStatistics = Extract<ScorerMessage, { type: 'statistics' }>;

type Command = Exclude<ScorerCommandInput, { type: 'drain' }>;
type WithoutId<Some> = Some extends { readonly id: number } ? Omit<Some, 'id'> : never;
export type ScorerOrder = WithoutId<Command>;

/** A scorer process, seen from the engine. */
export interface ScorerProcess {
  /** The number that the system gave the process; null when it could not be started. */
  readonly processId: number | null;
  /** What it said when it became ready. Rejects with what went wrong when it ends before. */
  readonly ready: Promise<ScorerReady>;
  /** Resolves when the process is gone, with what to tell a person about it. */
  readonly ended: Promise<string>;
  /**
   * Tells it what to do, and waits until it has.
   *
   * @returns the version that `load` loaded, else null.
   * @throws SlipwayError why it refused, or `endpointFailed` when it ended meanwhile.
   */
  order(order: ScorerOrder): Promise<ServedVersion | null>;
  /** Hands over a connection that this process accepted. */
  take(connection: Socket): void;
  /** Lets it answer what is in flight and end; one that does not is killed. Resolves when it is gone. */
  drain(graceMilliseconds?: number): Promise<void>;
}

export interface ScorerListener {
  statistics(statistics: ScorerStatistics): void;
  /** A line for the output channel. */
  log(level: 'info' | 'warning', message: string): void;
}

/** How long a scorer may take to end beyond the time that its answers may take. */
const killMilliseconds = 15_000;
const keptErrorLines = 20;

/** Starts a scorer under the program that runs this engine (in an editor that is Electron, told to be Node.js). */
export function startScorerProcess(
  script: string,
  options: Omit<ScorerOptionsInput, 'port'>,
  door: Door,
  listener: ScorerListener,
): ScorerProcess {
  const { endpoint } = options;
  const told: ScorerOptionsInput = { ...options, port: scorerDoor };
  const child = fork(script, [], {
    execPath: process.execPath,
    execArgv: [],
    env: { ...process.env, [scorerOptionsVariable]: JSON.stringify(told) },
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const errorLines: string[] = [];
  if (child.stderr) {
    createInterface(child.stderr).on('line', (line) => {
      errorLines.push(line);
      if (errorLines.length > keptErrorLines) errorLines.shift();
      listener.log('warning', `${endpoint}: ${line}`);
    });
  }
  const ended = new Promise<string>((resolve) => {
    child.on('error', (error) => {
      // Only an error without a process is an end; others are followed by one.
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(describeEnd(code, signal, errorLines)));
  });
  const orders = new Map<
    number,
    { resolve: (version: ServedVersion | null) => void; reject: (error: Error) => void }
  >();
  let lastOrder = 0;
  /** Connections that were sent to the scorer, until it says that it has them. */
  const handed = new Map<number, Socket>();
  let lastConnection = 0;
  let gone = false;
  const ready = new Promise<ScorerReady>((resolve, reject) => {
    child.on('message', (message: ScorerMessage) => {
      switch (message.type) {
        case 'ready':
          return resolve(message);
        case 'failed':
          return reject(fromErrorData(message.error));
        case 'statistics':
          return listener.statistics(message);
        case 'warning':
          return listener.log('warning', `${endpoint}: ${message.message}`);
        case 'taken':
          // The scorer has its own hold on it now.
          handed.get(message.id)?.destroy();
          handed.delete(message.id);
          return;
        case 'done':
          orders.get(message.id)?.resolve(message.version);
          orders.delete(message.id);
          return;
        case 'refused':
          orders.get(message.id)?.reject(fromErrorData(message.error));
          orders.delete(message.id);
      }
    });
    void ended.then((detail) => {
      const error = new SlipwayError('endpointFailed', { endpoint, detail });
      reject(error);
      for (const order of orders.values()) order.reject(error);
      orders.clear();
      gone = true;
      // What it did not come to take goes to another, once everybody knows that it is gone.
      setImmediate(() => {
        for (const connection of handed.values()) door.receive(connection);
        handed.clear();
      });
    });
  });
  // Whoever started the process may be told of its end before it looks here.
  ready.catch(() => undefined);
  if (child.connected) child.send({ type: 'door' }, door.server, () => undefined);
  return {
    processId: child.pid ?? null,
    ready,
    ended,
    order: (order) =>
      new Promise((resolve, reject) => {
        const id = ++lastOrder;
        orders.set(id, { resolve, reject });
        const command: ScorerCommandInput = { ...order, id };
        if (child.connected) child.send(command, () => undefined);
        else reject(new SlipwayError('endpointFailed', { endpoint, detail: 'its process has ended' }));
      }),
    take(connection) {
      if (gone) {
        connection.destroy();
        return;
      }
      const id = ++lastConnection;
      handed.set(id, connection);
      // What fails does so because the process is at its end, and then the connection goes back.
      if (child.connected)
        child.send({ type: 'connection', id }, connection, { keepOpen: true }, () => undefined);
    },
    async drain(graceMilliseconds = 0) {
      const command: ScorerCommandInput = { type: 'drain', graceMilliseconds };
      // When the command cannot be sent the channel is closed, on which a scorer ends too.
      if (child.connected) child.send(command, () => undefined);
      const deadline = setTimeout(() => child.kill('SIGKILL'), killMilliseconds);
      await ended;
      clearTimeout(deadline);
    },
  };
}

function describeEnd(code: number | null, signal: string | null, errorLines: readonly string[]): string {
  const reason = signal ? `its process was ended by ${signal}` : `its process ended with code ${code}`;
  const last = errorLines.findLast((line) => /error/i.test(line)) ?? errorLines.at(-1);
  return last ? `${reason} (${last})` : reason;
}
