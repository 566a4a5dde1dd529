import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { SlipwayError } from '../../protocol/errors.ts';
import { inferUrl } from '../../protocol/inferUrl.ts';
import { type PackageConfig, packageFiles, readDigests } from '../../protocol/packagedModel.ts';
import { startFleet } from '../../supervision/scorerFleet.ts';
import { answerDifference } from './answerComparison.ts';
import type { FoundModel } from './packageFolder.ts';
import type { StandaloneSettings } from './settings.ts';

export interface SelfTestOptions {
  /** The package's folder. */
  readonly folder: string;
  /** Entry file of the scorer process. */
  readonly script: string;
  readonly config: PackageConfig;
  readonly found: FoundModel;
  readonly settings: StandaloneSettings;
  /** Told what was found to be right. */
  readonly tell: (line: string) => void;
}

/**
 * Tests a package where it will run: its files are those that were packaged, its model loads, and the recorded request
 * gets the recorded answer over HTTP.
 *
 * @throws SlipwayError `selfTestFailed` with what is wrong, or what the scorer failed with.
 */
export async function runSelfTest(options: SelfTestOptions): Promise<void> {
  await checkFiles(options);
  const { script, settings, found, tell } = options;
  const token = settings.scorer.token ?? null;
  const fleet = await startFleet({
    script,
    processes: 1,
    port: 0,
    scorer: { ...settings.scorer, host: '127.0.0.1', inferenceLog: null },
    log: tell,
  });
  try {
    const { name, version, test } = found.model;
    tell(`The model "${name}", version ${version}, is loaded.`);
    if (test === null) {
      tell('No request is recorded for this model, so none was sent.');
      return;
    }
    const response = await fetch(inferUrl(fleet.url, name), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: test.request,
    });
    const answer = await response.text();
    if (response.status !== 200)
      throw failed(`the recorded request got the status ${response.status}: ${answer}`);
    const difference = answerDifference(test.answer, answer);
    if (difference !== null) throw failed(`the recorded request got another answer: ${difference}`);
    tell('The recorded request got the recorded answer.');
  } finally {
    await fleet.drain();
  }
}

async function checkFiles({ folder, config, tell }: SelfTestOptions): Promise<void> {
  const digests = readDigests(await readFile(join(folder, packageFiles.digests), 'utf8').catch(() => ''));
  if (digests.size === 0) throw failed(`${packageFiles.digests} is missing or empty`);
  const own = `${process.platform}-${process.arch}`;
  const foreign = config.platform !== own;
  let checked = 0;
  for (const [path, digest] of digests) {
    if (foreign && path.startsWith('node_modules/')) continue;
    checked += 1;
    const found = await digestOf(join(folder, path));
    if (found === null) throw failed(`the file ${path} is missing`);
    if (found !== digest) throw failed(`the file ${path} is not the one that was packaged`);
  }
  tell(`${checked} files are those that were packaged.`);
  if (foreign) tell(`Its native modules are for ${config.platform}; those of ${own} were not compared.`);
}

/** SHA-256 in hexadecimal digits; null when the file is not there. */
async function digestOf(file: string): Promise<string | null> {
  const hash = createHash('sha256');
  try {
    await pipeline(createReadStream(file), hash);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
  return hash.digest('hex');
}

function failed(detail: string): SlipwayError {
  return new SlipwayError('selfTestFailed', { detail });
}
