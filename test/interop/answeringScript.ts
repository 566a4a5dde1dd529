import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A script of `test/fixtures/python` that answers with `answering.py`: started once, it may be asked often. */
export interface AnsweringScript {
  /** What a call gives, as JSON. @throws Error with what the script complained about when it fails. */
  ask(name: string, ...args: readonly string[]): Promise<string>;
  /** Lets it end. */
  close(): Promise<void>;
}

/** Starts one in a folder. */
export function startAnswering(
  python: string,
  script: string,
  folder: string,
  environment: NodeJS.ProcessEnv = {},
): AnsweringScript {
  const child = spawn(python, [join(import.meta.dirname, '../fixtures/python', script)], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint += text;
  });
  const ended = once(child, 'close');
  // Nobody listens any more once it failed; that it did is told by the end of its answers.
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();

  return {
    async ask(name, ...args) {
      child.stdin.write(`${JSON.stringify([name, ...args])}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done) {
          const [code] = await ended;
          throw new Error(`${script} ended with ${code} instead of an answer to ${name}:\n${complaint}`);
        }
        if (value.startsWith('answer ')) return value.slice('answer '.length);
      }
    },
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}
