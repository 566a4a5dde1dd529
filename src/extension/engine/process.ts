import { type ChildProcess, fork } from 'node:child_process';
import {
  createMessageConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type MessageConnection,
} from 'vscode-jsonrpc/node';

/** How a process ended: its exit code, or the signal that ended it. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Why it could not be started at all. */
  readonly error?: Error;
}

/** A running engine process and the conversation with it. */
export interface EngineProcess {
  readonly connection: MessageConnection;
  readonly ended: Promise<ProcessEnd>;
  /** False as soon as nothing can be said to it any more. */
  readonly listens: boolean;
  /** Asks it to end by closing the conversation, and kills it when it has not after a while. */
  end(): Promise<void>;
}

export interface EngineProcessOptions {
  /** The engine's bundle. */
  readonly script: string;
  /** The Node that runs it. */
  readonly nodePath: string;
  /** Receives what the process writes to its standard output and error, line by line. */
  output(line: string): void;
}

const patienceMilliseconds = 3_000;

/** Starts an engine process. Numbers in typed arrays survive the way (`serialization: 'advanced'`). */
export function startEngineProcess(options: EngineProcessOptions): EngineProcess {
  // NODE_OPTIONS of a debugged extension host would make the engine wait for a debugger too.
  const { NODE_OPTIONS: _, ...environment } = process.env;
  const child = fork(options.script, [], {
    execPath: options.nodePath,
    execArgv: [],
    // Tells VS Code's own binary on the desktop to behave as Node.
    env: { ...environment, ELECTRON_RUN_AS_NODE: '1' },
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  forwardLines(child, options.output);

  const connection = createMessageConnection(new IPCMessageReader(child), new IPCMessageWriter(child));
  const ended = new Promise<ProcessEnd>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
  void ended.then(() => connection.dispose());

  return {
    connection,
    ended,
    get listens() {
      return child.connected;
    },
    async end() {
      if (child.connected) child.disconnect();
      const killing = setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds);
      await ended;
      clearTimeout(killing);
    },
  };
}

function forwardLines(child: ChildProcess, output: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) output(line);
    });
    stream?.once('end', () => {
      if (rest !== '') output(rest);
    });
  }
}
