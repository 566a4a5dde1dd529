import { join } from 'node:path';
import { fromErrorData, SlipwayError, toErrorData } from '../protocol/errors.ts';
import { keepUntilSignal } from '../supervision/keepUntilSignal.ts';
import { complaintAboutNode } from '../supervision/nodeVersion.ts';
import { type Fleet, startFleet } from '../supervision/scorerFleet.ts';
import { isHealthy } from './standalone/health.ts';
import { checkPlatform, findModel, readConfig } from './standalone/packageFolder.ts';
import { runSelfTest } from './standalone/selfTest.ts';
import { standaloneSettings } from './standalone/settings.ts';

/**
 * Entry of a model that `slipway package` wrote, as `start.cjs` in its folder. It runs the scorer and starts it again
 * when it ends without being asked.
 */

const folder = import.meta.dirname;
const script = join(folder, 'scorer.cjs');

const usage = `Usage: node start.cjs [serve | --self-test | --health]
  serve         answers requests until SIGINT or SIGTERM (the default)
  --self-test   checks the files, loads the model, and sends the recorded request
  --health      asks the one that runs whether it can answer: exit code 0 or 1
config.json has the settings; variables of the environment such as SLIPWAY_PORT, SLIPWAY_TOKEN and SLIPWAY_HOST_NAMES
overrule it, and README.md lists them.`;

async function main([command = 'serve', ...rest]: readonly string[]): Promise<number> {
  if (command === '--help' || command === '-h') {
    tell(usage);
    return 0;
  }
  if (rest.length > 0 || !['serve', '--self-test', '--health'].includes(command)) {
    process.stderr.write(`${usage}\n`);
    return 2;
  }
  const complaint = complaintAboutNode(process.versions.node);
  if (complaint !== null) {
    log(complaint);
    return 1;
  }
  const config = await readConfig(folder);
  checkPlatform(folder, config);
  const found = await findModel(folder, process.env);
  const settings = standaloneSettings(config, found, process.env);
  if (command === '--health') {
    return (await isHealthy(settings.scorer.host, settings.port)) ? 0 : 1;
  }
  if (command === '--self-test') {
    await runSelfTest({ folder, script, config, found, settings, tell });
    tell('The package is sound.');
    return 0;
  }
  await keepUntilSignal(() => startFleet({ script, ...settings, log }), tellReady);
  return 0;
}

function tellReady({ url, versions }: Fleet): void {
  const [served] = versions;
  tell(JSON.stringify({ url, model: served?.name, version: served?.version }));
  if (!process.env.SLIPWAY_TOKEN && !process.env.SLIPWAY_TOKEN_FILE) {
    log(
      'It asks for no token. To ask for one, set SLIPWAY_TOKEN (16 characters or more) or SLIPWAY_TOKEN_FILE.',
    );
  }
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}

function log(line: string): void {
  process.stderr.write(`slipway: ${line}\n`);
}

void main(process.argv.slice(2))
  .catch((error: unknown) => {
    const { message, remedy } = error instanceof SlipwayError ? error : fromErrorData(toErrorData(error));
    log([message, remedy].filter((part) => part !== '').join(' '));
    return 1;
  })
  .then((code) => {
    process.exitCode = code;
  });
