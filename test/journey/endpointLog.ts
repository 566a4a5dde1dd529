import { globSync, readFileSync } from 'node:fs';
import type { Workbench } from '../workbench/workbench.ts';

/** All that the output channel of endpoints says; empty as long as it says nothing. */
export function endpointLog({ dataFolder }: Pick<Workbench, 'dataFolder'>): string {
  const [file] = globSync('data/logs/**/Slipway Endpoints.log', { cwd: dataFolder });
  return file === undefined ? '' : readFileSync(`${dataFolder}/${file}`, 'utf8');
}
