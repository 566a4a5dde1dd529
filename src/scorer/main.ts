import { toErrorData } from '../protocol/errors.ts';
import { type ScorerMessage, scorerOptions, scorerOptionsVariable } from '../protocol/scorer.ts';
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

async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  await scorer?.drain();
  process.exit(0);
}

process.on('SIGTERM', () => void end());
process.on('SIGINT', () => void end());
process.on('disconnect', () => void end());
process.on('message', (command: unknown) => {
  if (typeof command === 'object' && command !== null && 'type' in command && command.type === 'drain')
    void end();
});

async function begin(): Promise<void> {
  try {
    const options = scorerOptions.parse(JSON.parse(process.env[scorerOptionsVariable] ?? 'null'));
    delete process.env[scorerOptionsVariable];
    scorer = await startScorer(options, (message) => void tell(message));
  } catch (error) {
    await tell({ type: 'failed', error: toErrorData(error) });
    process.exit(1);
  }
}

void begin();
