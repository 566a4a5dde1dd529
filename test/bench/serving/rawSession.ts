import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * What the runtime alone takes, without a server: one run after the other.
 *
 *   node rawSession.ts MODEL ROWS COLUMNS SECONDS
 *
 * Prints the median of a run and the processor time for each, in microseconds.
 */
const [file = '', rows = '1', columns = '20', seconds = '1'] = process.argv.slice(2);
const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const [name = ''] = session.inputNames;
const size = Number(rows) * Number(columns);
const run = () =>
  session.run({
    [name]: new Tensor('float32', new Float32Array(size).fill(0.5), [Number(rows), Number(columns)]),
  });
for (let warm = 0; warm < 500; warm += 1) await run();

const latencies: number[] = [];
const before = process.cpuUsage();
const end = performance.now() + 1000 * Number(seconds);
while (performance.now() < end) {
  const begin = performance.now();
  await run();
  latencies.push(1000 * (performance.now() - begin));
}
const { user, system } = process.cpuUsage(before);
latencies.sort((one, other) => one - other);
console.log(
  JSON.stringify({
    p50: latencies[latencies.length >> 1],
    processorMicroseconds: (user + system) / latencies.length,
  }),
);
