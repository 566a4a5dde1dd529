import { connect, type Socket } from 'node:net';

/**
 * A process that asks one server the same thing over and over: every connection sends a request, waits for the whole
 * answer, and sends the next. It is told what to do over IPC, and answers with a `LoadResult`.
 */
export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  /** It ends after so many seconds, or so many answers. */
  readonly seconds: number;
  readonly count: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly seconds: number;
  /** Answers a second. */
  readonly rate: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
  /** Of this process, for each answer. */
  readonly processorMicroseconds: number;
}

/** Latencies that are kept to find the percentiles. */
const keptLatencies = 1 << 20;

process.on('message', (order: LoadOrder) => {
  run(order).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      throw error;
    },
  );
});
process.on('disconnect', () => process.exit(0));

async function run(order: LoadOrder): Promise<LoadResult> {
  const body = Buffer.from(order.body);
  const head = [
    `POST ${order.path} HTTP/1.1`,
    `host: ${order.host}:${order.port}`,
    'content-type: application/json',
    `content-length: ${body.length}`,
    ...Object.entries(order.headers).map(([name, value]) => `${name}: ${value}`),
  ];
  const request = Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
  const latencies = new Float32Array(keptLatencies);
  const before = process.cpuUsage();
  const begin = performance.now();
  const end = begin + 1000 * order.seconds;
  let sent = 0;
  let answers = 0;

  const converse = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let sentAt = 0;
      let pending: Buffer | null = null;
      const send = () => {
        sentAt = performance.now();
        if (sentAt >= end || sent >= order.count) {
          socket.destroy();
          return resolve();
        }
        sent += 1;
        socket.write(request);
      };
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('The server closed a connection.')));
      socket.on('data', (chunk) => {
        const answer: Buffer = pending === null ? chunk : Buffer.concat([pending, chunk]);
        if (!isWhole(answer)) {
          pending = answer;
          return;
        }
        pending = null;
        if (answer.toString('latin1', 9, 12) !== '200') {
          reject(new Error(`The server answered ${answer.toString().slice(0, 1000)}`));
          return;
        }
        latencies[answers % keptLatencies] = 1000 * (performance.now() - sentAt);
        answers += 1;
        send();
      });
      send();
    });

  const sockets = await Promise.all(Array.from({ length: order.connections }, () => open(order)));
  await Promise.all(sockets.map(converse));
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(before);
  const sorted = latencies.subarray(0, Math.min(answers, keptLatencies)).toSorted();
  return {
    answers,
    seconds,
    rate: answers / seconds,
    p50: sorted[Math.floor(0.5 * sorted.length)] ?? Number.NaN,
    p99: sorted[Math.floor(0.99 * sorted.length)] ?? Number.NaN,
    processorMicroseconds: (user + system) / answers,
  };
}

function open({ host, port }: LoadOrder): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Whether an answer has all that its head announces: a length, or chunks up to the last. */
function isWhole(answer: Buffer): boolean {
  const headEnd = answer.indexOf('\r\n\r\n');
  if (headEnd < 0) return false;
  const head = answer.toString('latin1', 0, headEnd);
  const length = /\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length !== undefined) return answer.length >= headEnd + 4 + Number(length);
  return answer.toString('latin1', answer.length - 5) === '0\r\n\r\n';
}
