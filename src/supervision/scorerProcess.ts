import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { type Detail, detail } from '../protocol/errorDetails.ts';
import { fromErrorData, SlipwayError } from '../protocol/errors.ts';
import {
  type HandedConnection,
  type HandedDoor,
  type ScorerCommandInput,
  type ScorerMessage,
  type ScorerOptionsInput,
  type ServedVersion,
  scorerDoor,
} from '../protocol/scorer.ts';
import type { ScorerReading } from '../protocol/scorerReading.ts';
import { forkScorer } from './begunScorer.ts';
import type { Door, Doors } from './door.ts';

/** What a scorer says of itself when it is ready. */
export type ScorerReady = Extract<ScorerMessage, { type: 'ready' }>;
export type ScorerStatistics = Extract<ScorerMessage, { type: 'statistics' }>;

type Asked = Exclude<ScorerCommandInput, { type: 'begin' | 'drain' | 'gathered' }>;
type WithoutId<Some> = Some extends { readonly id: number } ? Omit<Some, 'id'> : never;
type Question = WithoutId<Asked>;
export type ScorerOrder = Exclude<Question, { type: 'read' }>;
type ScorerReply = Extract<ScorerMessage, { type: 'done' | 'reading' }>;

/** A scorer process, seen from the engine. */
export interface ScorerProcess {
  /** The number that the system gave the process; null when it could not be started. */
  readonly processId: number | null;
  /** What it said when it became ready. Rejects with what went wrong when it ends before. */
  readonly ready: Promise<ScorerReady>;
  /** Resolves when the process is gone, with what to tell a person about it. */
  readonly ended: Promise<string | Detail>;
  /**
   * Tells it what to do, and waits until it has.
   *
   * @returns the version that `load` loaded, else null.
   * @throws SlipwayError why it refused, or `endpointFailed` when it ended meanwhile.
   */
  order(order: ScorerOrder): Promise<ServedVersion | null>;
  /** What it counts. @throws SlipwayError `endpointFailed` when it ended meanwhile. */
  reading(): Promise<ScorerReading>;
  /** Hands over a connection that this process accepted at one of its doors. */
  take(connection: Socket, door: Door): void;
  /** Lets it answer what is in flight and end; one that does not is killed. Resolves when it is gone. */
  drain(graceMilliseconds?: number): Promise<void>;
}

export interface ScorerListener {
  /** Those that answer for the endpoint now, this one among them. */
  running(): readonly ScorerProcess[];
  statistics(statistics: ScorerStatistics): void;
  /** A line for the output channel. */
  log(level: 'info' | 'warning', message: string): void;
}

/** How long a scorer may take to end beyond the time that its answers may take. */
const killMilliseconds = 15_000;
const keptErrorLines = 20;

/** What a scorer is told besides its doors. */
export type DoorlessOptions = Omit<ScorerOptionsInput, 'port' | 'grpcPort'>;

/** Starts a scorer. @param begun a process that was begun already, and waits for what to serve. */
export function startScorerProcess(
  script: string,
  options: DoorlessOptions,
  { http, grpc }: Doors,
  listener: ScorerListener,
  begun: ChildProcess | null = null,
): ScorerProcess {
  const { endpoint } = options;
  const told: ScorerOptionsInput = {
    ...options,
    port: scorerDoor,
    grpcPort: grpc === null ? null : scorerDoor,
  };
  const child = begun ?? forkScorer(script);
  const errorLines: string[] = [];
  if (child.stderr) {
    createInterface(child.stderr).on('line', (line) => {
      errorLines.push(line);
      if (errorLines.length > keptErrorLines) errorLines.shift();
      listener.log('warning', `${endpoint}: ${line}`);
    });
  }
  const ended = new Promise<string | Detail>((resolve) => {
    child.on('error', (error) => {
      // Only an error without a process is an end; others are followed by one.
      if (child.pid === undefined) resolve(error.message);
    });
    child.once('close', (code, signal) => resolve(describeEnd(code, signal, errorLines)));
  });
  const questions = new Map<
    number,
    { resolve: (reply: ScorerReply) => void; reject: (error: Error) => void }
  >();
  let lastQuestion = 0;
  /** Whether it could be sent. */
  const send = (command: ScorerCommandInput): boolean => {
    if (child.connected) child.send(command, () => undefined);
    return child.connected;
  };
  send({ type: 'begin', options: told });
  const ask = (question: Question): Promise<ScorerReply> =>
    new Promise((resolve, reject) => {
      const id = ++lastQuestion;
      questions.set(id, { resolve, reject });
      if (!send({ ...question, id }))
        reject(new SlipwayError('endpointFailed', { endpoint, detail: detail('scorerEnded') }));
    });
  /** Connections that were sent to the scorer, until it says that it has them. */
  const handed = new Map<number, { readonly connection: Socket; readonly door: Door }>();
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
          handed.get(message.id)?.connection.destroy();
          handed.delete(message.id);
          return;
        case 'gather':
          void gather(message.id);
          return;
        case 'done':
        case 'reading':
          questions.get(message.id)?.resolve(message);
          questions.delete(message.id);
          return;
        case 'refused':
          questions.get(message.id)?.reject(fromErrorData(message.error));
          questions.delete(message.id);
      }
    });
    void ended.then((end) => {
      const error = new SlipwayError('endpointFailed', { endpoint, detail: end });
      reject(error);
      for (const question of questions.values()) question.reject(error);
      questions.clear();
      gone = true;
      // What it did not come to take goes to another, once everybody knows that it is gone.
      setImmediate(() => {
        for (const { connection, door } of handed.values()) door.receive(connection);
        handed.clear();
      });
    });
  });
  // Whoever started the process may be told of its end before it looks here.
  ready.catch(() => undefined);
  for (const door of [http, grpc]) {
    if (door === null || !child.connected) continue;
    const message: HandedDoor = { type: 'door', protocol: door.protocol };
    child.send(message, door.server, () => undefined);
  }
  const started: ScorerProcess = {
    processId: child.pid ?? null,
    ready,
    ended,
    async order(order) {
      const reply = await ask(order);
      return reply.type === 'done' ? reply.version : null;
    },
    async reading() {
      const reply = await ask({ type: 'read' });
      return reply.type === 'reading' ? reply.reading : { families: [], versions: [] };
    },
    take(connection, door) {
      if (gone) {
        connection.destroy();
        return;
      }
      const id = ++lastConnection;
      handed.set(id, { connection, door });
      const message: HandedConnection = { type: 'connection', id, protocol: door.protocol };
      // What fails does so because the process is at its end, and then the connection goes back.
      if (child.connected) child.send(message, connection, { keepOpen: true }, () => undefined);
    },
    async drain(graceMilliseconds = 0) {
      // When the command cannot be sent the channel is closed, on which a scorer ends too.
      send({ type: 'drain', graceMilliseconds });
      const deadline = setTimeout(() => child.kill('SIGKILL'), killMilliseconds);
      await ended;
      clearTimeout(deadline);
    },
  };
  /** Brings the scorer what the others of its endpoint count; one that ends meanwhile counts for nothing. */
  const gather = async (id: number): Promise<void> => {
    const others = listener.running().filter((scorer) => scorer !== started);
    const readings = await Promise.allSettled(others.map((scorer) => scorer.reading()));
    send({
      type: 'gathered',
      id,
      readings: readings.flatMap((reading) => (reading.status === 'fulfilled' ? [reading.value] : [])),
    });
  };
  return started;
}

function describeEnd(code: number | null, signal: string | null, errorLines: readonly string[]): Detail {
  const end =
    signal === null
      ? detail('scorerEndedWithCode', { code: String(code) })
      : detail('scorerEndedBySignal', { signal });
  const last = errorLines.findLast((line) => /error/i.test(line)) ?? errorLines.at(-1);
  return last ? detail('endedSaying', { end, last }) : end;
}
