import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { startProxiedCodeServer } from '../workbench/codeServer.ts';
import { predictInBrowser, startEndpoint } from './endpointActions.ts';
import { inSampleProject } from './inSampleProject.ts';
import { until } from './until.ts';

const host = 'editor.example.com';

/** How a port of this machine answers a request that names a host. */
async function statusBy(name: string, port: string, path: string): Promise<number> {
  const sent = request({ host: '127.0.0.1', port, path, headers: { host: `${name}:${port}` } });
  sent.end();
  const [answer] = await once(sent, 'response');
  answer.resume();
  return answer.statusCode;
}

describe('an endpoint, in a VS Code that is open in the browser under a host name', function () {
  this.timeout(300_000);
  before(function () {
    if (process.platform === 'win32') this.skip();
  });

  it('is tried in the browser under that name, as its copied address is, and under no other', async () => {
    const startServer = (options: Parameters<typeof startProxiedCodeServer>[1]) =>
      startProxiedCodeServer(host, options);
    await inSampleProject({ startServer }, async (workbench) => {
      const { page } = workbench;
      await startEndpoint(workbench);
      const opened = await predictInBrowser(workbench);
      const { hostname, pathname, hash } = new URL(opened.url());
      assert.deepEqual([hostname, hash], [host, '']);
      assert.match(pathname, /^\/proxy\/\d+\/try$/);

      await workbench.runCommand('Slipway: Copy Endpoint Address');
      const address = await until('the copied address', async () => {
        const text = await page.evaluate(() => navigator.clipboard.readText());
        return text.startsWith('http') && text;
      });
      assert.equal(new URL(address).hostname, host);
      const { port, pathname: path } = new URL(address);
      // What it answers without the token is the endpoint's own.
      assert.equal(await statusBy(host, port, path.replace(/\/infer$/, '/ready')), 401);
      assert.equal(await statusBy(host, port, `${pathname.replace(/try$/, '')}v2/health/live`), 200);
      const [, own = ''] = /^\/proxy\/(\d+)\//.exec(path) ?? [];
      assert.equal(await statusBy(host, own, '/v2/health/live'), 200);
      assert.equal(await statusBy(`${host}.evil.example`, own, '/v2/health/live'), 403);
      await opened.close();
    });
  });
});
