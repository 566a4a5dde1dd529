import { Server, Socket } from 'node:net';
import { loadRuntime } from '../inference/runtime.ts';
import { toErrorData } from '../protocol/errors.ts';
import {
  handedConnection,
  handedDoor,
  type ScorerMessage,
  type ScorerOptions,
  type ScorerProtocol,
  scorerCommand,
  scorerDoor,
  scorerOptions,
  scorerOptionsVariable,
} from '../protocol/scorer.ts';
import { preloadArguments } from '../supervision/begunScorer.ts';
import { beginLogThread } from './inferenceLog.ts';
import { exitProcess } from './lateLoads.ts';
import { type Scorer, startScorer } from './scorer.ts';

/**
 * Entry of the scorer process. It ends on the command `drain`, on SIGTERM and SIGINT, and when the engine that
 * started it is gone. Without an engine it says what it would tell it on the standard error, a JSON text a line.
 */

/** Tells the engine, and resolves when the message has left. */
function tell(message: ScorerMessage): Promise<void> {
  return new Promise((resolve) => {
    // A message that cannot leave any more had an engine that is gone, which ends this process anyway.
    if (process.connected && process.send) process.send(message, undefined, {}, () => resolve());
    else process.stderr.write(`${JSON.stringify(message)}\n`, () => resolve());
  });
}

let scorer: Scorer | null = null;
let ending = false;
/** Connections that came before there was a scorer. */
let early: { readonly connection: Socket; readonly protocol: ScorerProtocol }[] = [];
/** What to serve, where the environment does not tell. */
const told = Promise.withResolvers<unknown>();
const doors = { http: Promise.withResolvers<Server>(), grpc: Promise.withResolvers<Server>() };

async function end(graceMilliseconds = 0): Promise<void> {
  if (ending) return;
  ending = true;
  await scorer?.drain(graceMilliseconds);
  exitProcess(0);
}

function take(message: unknown, connection: Socket): void {
  const { data } = handedConnection.safeParse(message);
  // Left to its sender, who hands it to another.
  if (ending || !data) connection.destroy();
  else {
    void tell({ type: 'taken', id: data.id });
    if (scorer) scorer.take(connection, data.protocol);
    else early.push({ connection, protocol: data.protocol });
  }
}

function enter(message: unknown, door: Server): void {
  const { data } = handedDoor.safeParse(message);
  if (data) doors[data.protocol].resolve(door);
}

/** The door that is handed over, where a port says that one is. */
async function doorOf(protocol: ScorerProtocol, port: ScorerOptions['grpcPort']): Promise<Server | null> {
  return port === scorerDoor ? doors[protocol].promise : null;
}

async function obey(message: unknown): Promise<void> {
  const command = scorerCommand.safeParse(message);
  if (!command.success) return;
  if (command.data.type === 'begin') return told.resolve(command.data.options);
  if (command.data.type === 'drain') return end(command.data.graceMilliseconds);
  const { id } = command.data;
  if (command.data.type === 'read') {
    return tell({ type: 'reading', id, reading: scorer?.reading() ?? { families: [], versions: [] } });
  }
  if (command.data.type === 'gathered') return scorer?.gathered(id, command.data.readings);
  try {
    const version = (await scorer?.command(command.data)) ?? null;
    await tell({ type: 'done', id, version });
  } catch (error) {
    await tell({ type: 'refused', id, error: toErrorData(error) });
  }
}

process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());
process.on('disconnect', () => void end());
process.on('message', (message: unknown, handle: unknown) => {
  if (handle instanceof Server) enter(message, handle);
  else if (handle instanceof Socket) take(message, handle);
  else void obey(message);
});

async function optionsOf(text: string | undefined): Promise<unknown> {
  delete process.env[scorerOptionsVariable];
  if (text !== undefined) return JSON.parse(text);
  // Should it fail, loading a model will, and say so.
  if (process.argv.includes(preloadArguments.runtime)) void loadRuntime().catch(() => undefined);
  return told.promise;
}

async function begin(): Promise<void> {
  try {
    const logThread = process.argv.includes(preloadArguments.log) ? beginLogThread() : undefined;
    const options = scorerOptions.parse(await optionsOf(process.env[scorerOptionsVariable]));
    const handed = {
      http: await doorOf('http', options.port),
      grpc: await doorOf('grpc', options.grpcPort),
    };
    const started = await startScorer(options, handed, (message) => void tell(message), logThread);
    scorer = started;
    for (const { connection, protocol } of early) started.take(connection, protocol);
    early = [];
  } catch (error) {
    await tell({ type: 'failed', error: toErrorData(error) });
    exitProcess(1);
  }
}

void begin();
