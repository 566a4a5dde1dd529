import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { inSampleProject } from '../journey/inSampleProject.ts';
import { walkJourney } from '../journey/walkJourney.ts';
import { buildExtension } from '../toolchain/build.ts';
import { repository } from '../toolchain/cacheFolder.ts';
import { pythonPeers } from '../toolchain/pythonPeers.ts';
import type { Theme, Workbench } from '../workbench/workbench.ts';
import type { Story } from './scene.ts';
import { stories } from './stories.ts';

/**
 * Writes a picture of every view and page to `out/screenshots/<theme>/<scene>.png`, in a light, a dark and a
 * high-contrast theme, and with a Python those of the whole journey too, as `journey-<place>.png`.
 *
 *   npm run screenshots                     everything
 *   npm run screenshots -- dark             only this theme
 */
const themes: readonly Theme[] = ['light', 'dark', 'high-contrast'];
const folder = join(repository, 'out', 'screenshots');

const asked = process.argv.slice(2);
const wanted = themes.filter((theme) => asked.length === 0 || asked.includes(theme));
const python = await pythonPeers();
await buildExtension();
for (const theme of wanted) {
  await rm(join(folder, theme), { recursive: true, force: true });
  for (const story of stories) await take(story, theme);
  if (python !== null) await takeJourney(python, theme);
}

async function takeJourney(python: string, theme: Theme): Promise<void> {
  await walkJourney({
    python,
    theme,
    picture: (name, workbench) => picture(workbench, theme, `journey-${name}`),
  });
}

async function picture(workbench: Workbench, theme: Theme, name: string): Promise<void> {
  const file = join(folder, theme, `${name}.png`);
  await workbench.screenshot(file);
  console.log(file);
}

function take({ recorded, trusted, scenes }: Story, theme: Theme): Promise<void> {
  return inSampleProject({ recorded, trusted, theme }, async (workbench) => {
    for (const scene of scenes) {
      await scene.show(workbench).catch(async (error: unknown) => {
        await picture(workbench, theme, `${scene.name}-failed`);
        throw error;
      });
      await picture(workbench, theme, scene.name);
    }
  });
}
