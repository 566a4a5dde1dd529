import { SlipwayError } from '../../protocol/errors.ts';
import type { Tensor } from '../datatypes.ts';
import type { Model } from '../model.ts';
import { badRequest, RequestProblem } from '../problem.ts';
import type { Frame } from './frames.ts';
import { type Interpreter, InterpreterEnded, startInterpreter } from './interpreter.ts';
import { loadMessage, type ReadyMessage, runMessage } from './messages.ts';
import { decodeTensors, encodeTensors } from './tensors.ts';

export interface PythonModelOptions {
  readonly name: string;
  readonly version: number;
  /** Absolute path of the folder with the MLmodel file. */
  readonly folder: string;
  /** Absolute path of the person's interpreter. */
  readonly python: string;
  /** How long one run may take; then its process is killed and started again. */
  readonly runMilliseconds: number;
  /** How long the model may take to load. */
  readonly loadMilliseconds?: number;
  /** Takes what the model prints; the standard error unless given. */
  readonly output?: (text: string) => void;
}

/** A process that holds the model, or loads it. */
interface Worker {
  readonly interpreter: Interpreter;
  readonly description: Promise<ReadyMessage>;
}

/** Importing what large models stand on takes tens of seconds. */
const usualLoadMilliseconds = 300_000;

/**
 * Loads an MLflow model of any flavour in a process of the person's own interpreter. That runs the model's code, so
 * whoever calls this has asked the person.
 *
 * `run` throws a `RequestProblem`: 400 when the model refuses the values, 500 when it fails or its process ends, 504
 * when it takes too long, 503 when it cannot be started again. A process that ended is started again for the requests
 * that follow.
 *
 * @throws SlipwayError `pythonModelUnreadable`.
 */
export async function openPythonModel(options: PythonModelOptions): Promise<Model> {
  const { name, version, runMilliseconds } = options;
  let closed = false;
  let worker: Worker | null = null;
  // One run after the other: there is one interpreter, and models are seldom safe for threads.
  let queue: Promise<unknown> = Promise.resolve();

  const start = (): Worker => {
    const started = startWorker(options);
    worker = started;
    // Who asks the model is told; nobody else waits for it.
    started.description.catch(() => undefined);
    void started.interpreter.ended.then(() => {
      if (worker === started) worker = null;
    });
    return started;
  };
  const run = async (feeds: readonly Tensor[]): Promise<readonly Tensor[]> => {
    if (closed) throw new RequestProblem(503, 'The model is not loaded any more.');
    const { interpreter, description } = worker ?? start();
    try {
      await description;
    } catch (error) {
      throw new RequestProblem(503, `The model could not be started again: ${messageOf(error)}`);
    }
    try {
      return await ask(interpreter, feeds, runMilliseconds);
    } catch (error) {
      if (error instanceof RequestProblem) throw error;
      interpreter.kill();
      // Its successor loads while the client reads the error.
      if (!closed) start();
      const status = error instanceof TooLong ? 504 : 500;
      throw new RequestProblem(status, `The model failed: ${messageOf(error)}. It is started again.`);
    }
  };

  let description: ReadyMessage;
  try {
    description = await start().description;
  } catch (error) {
    const detail = messageOf(error);
    throw new SlipwayError('pythonModelUnreadable', { model: name, version, detail }, { cause: error });
  }
  return {
    inputs: description.inputs,
    outputs: description.outputs.map((output) => ({ ...output, labels: null })),
    facts: description.facts,
    warnings: description.warnings,
    run(feeds) {
      const answer = queue.then(() => run(typeof feeds === 'function' ? feeds() : feeds));
      queue = answer.catch(() => undefined);
      return answer;
    },
    async close() {
      closed = true;
      const last = worker;
      last?.interpreter.kill();
      await last?.interpreter.ended;
    },
  };
}

function startWorker(options: PythonModelOptions): Worker {
  const { folder, python, loadMilliseconds = usualLoadMilliseconds } = options;
  const interpreter = startInterpreter({
    python,
    script: 'serve.py',
    args: [folder],
    output: options.output ?? ((text) => void process.stderr.write(text)),
  });
  return { interpreter, description: load(interpreter, loadMilliseconds) };
}

/** @throws Error why the model cannot be loaded; then its process is gone. */
async function load(interpreter: Interpreter, milliseconds: number): Promise<ReadyMessage> {
  try {
    const { header } = await inTime(interpreter, 'loading', milliseconds);
    const message = loadMessage.parse(header);
    if (message.type === 'failed') throw new Error(message.detail);
    return message;
  } catch (error) {
    interpreter.kill();
    await interpreter.ended;
    throw error;
  }
}

/** @throws RequestProblem what the model says; any other Error means that its process is of no use any more. */
async function ask(
  interpreter: Interpreter,
  feeds: readonly Tensor[],
  milliseconds: number,
): Promise<readonly Tensor[]> {
  const { headers, chunks } = encodeTensors(feeds);
  interpreter.send({ inputs: headers }, chunks);
  const { header, body } = await inTime(interpreter, 'predicting', milliseconds);
  const message = runMessage.parse(header);
  switch (message.type) {
    case 'result':
      return decodeTensors(message.outputs, body);
    case 'refused':
      throw badRequest(`The model cannot take these values: ${message.detail}`);
    case 'failed':
      throw new RequestProblem(500, `The model failed: ${message.detail}`);
  }
}

class TooLong extends Error {}

/** The next frame. @throws TooLong, or Error when the process ends before. */
async function inTime(
  interpreter: Interpreter,
  doing: 'loading' | 'predicting',
  milliseconds: number,
): Promise<Frame> {
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(
      () => reject(new TooLong(`${doing} took longer than ${milliseconds / 1000} s`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([interpreter.receive(), late]);
  } catch (error) {
    if (!(error instanceof InterpreterEnded)) throw error;
    throw new Error(`its Python process went away while ${doing}: ${error.message}`, { cause: error });
  } finally {
    clearTimeout(deadline);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
