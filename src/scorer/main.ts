import { Server, Socket } from 'node:net';
import { toErrorData } from '../protocol/errors.ts';
import {
  handedConnection,
  type ScorerMessage,
  scorerCommand,
  scorerDoor,
  scorerOptions,
  scorerOptionsVariable,
} from '../protocol/scorer.ts';
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
let early: Socket[] = [];
let handDoor: (door: Server) => void = () => undefined;
const handedDoor = new Promise<Server>((resolve) => {
  handDoor = resolve;
});

async function end(graceMilliseconds = 0): Promise<void> {
  if (ending) return;
  ending = true;
  await scorer?.drain(graceMilliseconds);
  process.exit(0);
}

function take(message: unknown, connection: Socket): void {
  // Left to its sender, who hands it to another.
  if (ending) connection.destroy();
  else {
    const { data } = handedConnection.safeParse(message);
    if (data) void tell({ type: 'taken', id: data.id });
    if (scorer) scorer.take(connection);
    else early.push(connection);
  }
}

async function obey(message: unknown): Promise<void> {
  const command = scorerCommand.safeParse(message);
  if (!command.success) return;
  if (command.data.type === 'drain') return end(command.data.graceMilliseconds);
  const { id } = command.data;
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
  if (handle instanceof Server) handDoor(handle);
  else if (handle instanceof Socket) take(message, handle);
  else void obey(message);
});

async function begin(): Promise<void> {
  try {
    const text = process.env[scorerOptionsVariable] ?? 'null';
    delete process.env[scorerOptionsVariable];
    const options = scorerOptions.parse(JSON.parse(text));
    const door = options.port === scorerDoor ? await handedDoor : null;
    const started = await startScorer(options, door, (message) => void tell(message));
    scorer = started;
    for (const connection of early) started.take(connection);
    early = [];
  } catch (error) {
    await tell({ type: 'failed', error: toErrorData(error) });
    process.exit(1);
  }
}

void begin();
