import { createServer } from 'node:http';

/**
 * The least that a server in Node.js can do with a prediction request: it reads the body, parses its JSON, and answers a
 * constant JSON text of the size of a real answer. Prints its port.
 */
const answer = JSON.stringify({
  model_name: 'model',
  model_version: '1',
  outputs: [
    { name: 'label', shape: [1], datatype: 'INT64', data: [1] },
    { name: 'probabilities', shape: [1, 2], datatype: 'FP32', data: [0.125, 0.875] },
  ],
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    const text = body === null ? 'null' : answer;
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    });
    response.end(text);
  });
});

server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The floor listens on no port.');
  console.log(JSON.stringify({ url: `http://127.0.0.1:${address.port}` }));
});
