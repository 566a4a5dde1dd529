import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Engine, openEngine } from '../engine/engine.ts';
import { toSlipwayError } from '../protocol/errors.ts';

export interface UpOptions {
  readonly workspace: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Null asks for none. */
  readonly token: string | null;
}

/** Runs an engine in the foreground until SIGINT or SIGTERM. Gives the exit code. */
export async function up(options: UpOptions): Promise<number> {
  const workspace = resolve(options.workspace);
  if (!(await stat(workspace).catch(() => null))?.isDirectory()) {
    console.error(`slipway: there is no folder ${workspace}. Create it, or name another with --workspace.`);
    return 1;
  }
  const ended = new Promise<void>((done) => {
    process.once('SIGINT', () => done());
    process.once('SIGTERM', () => done());
  });
  let engine: Engine;
  try {
    engine = await openEngine({
      workspace,
      host: options.host,
      port: options.port,
      whenPortTaken: 'fail',
      token: options.token,
      trusted: true,
      listener(event, data) {
        if (event === 'log' && 'message' in data) console.error(`slipway: ${data.message}`);
      },
      scripts: {
        scorer: join(import.meta.dirname, 'scorer.cjs'),
        worker: join(import.meta.dirname, 'worker.cjs'),
      },
    });
  } catch (error) {
    const { message, remedy } = toSlipwayError(error);
    console.error(`slipway: ${message} ${remedy}`.trim());
    return 1;
  }
  console.log(JSON.stringify({ url: engine.address?.url, token: engine.address?.token ?? null }));
  await ended;
  await engine.close();
  return 0;
}
