import { Agent, request } from 'node:http';

/** What a load met. */
export interface LoadOutcome {
  /** Answers a second. */
  readonly rate: number;
  readonly answers: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export interface LoadTarget {
  readonly url: string;
  readonly body: string;
}

/** Asks on so many connections, each as soon as it has its answer. @throws Error when an answer is no 200. */
export async function closedLoop(
  target: LoadTarget,
  connections: number,
  seconds: number,
): Promise<LoadOutcome> {
  const sender = createSender(target, connections);
  const begin = performance.now();
  const end = begin + 1000 * seconds;
  const latencies: number[] = [];
  const converse = async () => {
    for (let sent = performance.now(); sent < end; sent = performance.now()) {
      await sender.send();
      latencies.push(performance.now() - sent);
    }
  };
  try {
    await Promise.all(Array.from({ length: connections }, converse));
  } finally {
    sender.close();
  }
  return outcome(latencies, begin);
}

/**
 * Asks at a constant rate, whether answers are there or not: a latency counts from the moment that its request was due.
 *
 * @param rate requests a second.
 */
export async function openLoop(target: LoadTarget, rate: number, seconds: number): Promise<LoadOutcome> {
  const sender = createSender(target, 256);
  const begin = performance.now();
  const count = Math.max(1, Math.round(rate * seconds));
  const latencies: number[] = [];
  const answers: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const turn = () => {
      const now = performance.now();
      for (let due = begin + (1000 * answers.length) / rate; due <= now && answers.length < count; ) {
        const dueThen = due;
        answers.push(sender.send().then(() => void latencies.push(performance.now() - dueThen)));
        due = begin + (1000 * answers.length) / rate;
      }
      if (answers.length === count) resolve();
      else setTimeout(turn, 1);
    };
    turn();
  });
  try {
    await Promise.all(answers);
  } finally {
    sender.close();
  }
  return outcome(latencies, begin);
}

function outcome(latencies: number[], begin: number): LoadOutcome {
  const seconds = (performance.now() - begin) / 1000;
  latencies.sort((one, other) => one - other);
  const quantile = (share: number) => latencies[Math.floor(share * latencies.length)] ?? Number.NaN;
  return {
    rate: latencies.length / seconds,
    answers: latencies.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
  };
}

function createSender({ url, body }: LoadTarget, connections: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const bytes = Buffer.from(body);
  const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
  return {
    send: () =>
      new Promise<void>((resolve, reject) => {
        const sent = request(url, { agent, method: 'POST', headers }, (response) => {
          let text = '';
          response.on('data', (chunk) => {
            if (response.statusCode !== 200) text += String(chunk);
          });
          response.on('error', reject);
          response.on('end', () => {
            if (response.statusCode === 200) resolve();
            else reject(new Error(`The scorer answered ${response.statusCode}: ${text.slice(0, 500)}`));
          });
        });
        sent.on('error', reject);
        sent.end(bytes);
      }),
    close: () => agent.destroy(),
  };
}
