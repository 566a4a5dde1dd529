import { get } from 'node:http';

const patienceMilliseconds = 4_000;

/** Whether a scorer at this port of this machine says that it can answer. */
export function isHealthy(host: string, port: number): Promise<boolean> {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  return new Promise((resolve) => {
    const request = get(
      { host: reachable, port, path: '/ping', timeout: patienceMilliseconds },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
