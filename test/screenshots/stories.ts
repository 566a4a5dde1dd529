import { driftPage, narrowRunPage, runPage, walkthrough } from './pages.ts';
import { endpointPage, endpoints, promoteConfirmation } from './production.ts';
import type { Story } from './scene.ts';
import { emptyViews, experiments, models, untrusted } from './sideBar.ts';
import { diskUsage, importChoices, imported } from './store.ts';
import { madeFrom, runTooltip, systemMetrics } from './terminalRuns.ts';

/** Every view and page. A new one gets a scene here. */
export const stories: readonly Story[] = [
  {
    recorded: true,
    trusted: true,
    scenes: [
      experiments,
      runPage,
      driftPage,
      models,
      promoteConfirmation,
      endpoints,
      endpointPage,
      narrowRunPage,
    ],
  },
  {
    recorded: true,
    trusted: true,
    scenes: [systemMetrics, madeFrom, runTooltip, diskUsage, importChoices, imported],
  },
  { recorded: false, trusted: true, scenes: [emptyViews, walkthrough] },
  { recorded: true, trusted: false, scenes: [untrusted] },
];
