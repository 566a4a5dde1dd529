import { createServer, type ServerResponse } from 'node:http';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/**
 * The floor with the model behind it, as one would write it by hand for one model: what is there at the same time shares
 * a run. It checks nothing, counts nothing and logs nothing, and writes its
 * numbers as JSON.stringify does, with all digits of a double. Prints its address.
 *
 *   node handwrittenServer.ts MODEL
 */
interface Waiting {
  readonly shape: readonly [rows: number, columns: number];
  readonly data: readonly number[];
  readonly response: ServerResponse;
}

const session = await InferenceSession.create(process.argv[2] ?? '', {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const [input = ''] = session.inputNames;
let waiting: Waiting[] = [];

async function answerAll(): Promise<void> {
  const batch = waiting;
  waiting = [];
  const [{ shape: [, columns] = [0, 0] } = { shape: [0, 0] }] = batch;
  const rows = batch.reduce((sum, { shape }) => sum + shape[0], 0);
  const joined = new Float32Array(rows * columns);
  let at = 0;
  for (const { data } of batch) {
    joined.set(data, at);
    at += data.length;
  }
  const results = await session.run({ [input]: new Tensor('float32', joined, [rows, columns]) });
  let from = 0;
  for (const { shape, response } of batch) {
    const outputs = session.outputNames.map((name) => {
      const { data = [], dims = [], type } = results[name] ?? {};
      const size = dims.slice(1).reduce((product, axis) => product * axis, 1);
      const part = Array.prototype.slice.call(data, from * size, (from + shape[0]) * size);
      const isInteger = type === 'int64';
      return {
        name,
        shape: [shape[0], ...dims.slice(1)],
        datatype: isInteger ? 'INT64' : 'FP32',
        data: isInteger ? part.map(Number) : part,
      };
    });
    from += shape[0];
    const text = JSON.stringify({ model_name: 'model', model_version: '1', outputs });
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  }
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { shape, data } = JSON.parse(Buffer.concat(chunks).toString()).inputs[0];
    if (waiting.length === 0) setImmediate(answerAll);
    waiting.push({ shape, data, response });
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port.');
  console.log(JSON.stringify({ url: `http://127.0.0.1:${address.port}` }));
});
