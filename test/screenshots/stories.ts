import { driftPage, narrowRunPage, runPage, walkthrough } from './pages.ts';
import { endpointDocument, endpoints, promoteConfirmation } from './production.ts';
import type { Story } from './scene.ts';
import { emptyViews, experiments, models, untrusted } from './sideBar.ts';

/** Every view and page. A new one gets a scene here. */
export const stories: readonly Story[] = [
  {
    name: 'sample project',
    workspace: 'sample',
    trusted: true,
    scenes: [
      experiments,
      runPage,
      driftPage,
      models,
      promoteConfirmation,
      endpoints,
      endpointDocument,
      narrowRunPage,
    ],
  },
  { name: 'first steps', workspace: 'empty', trusted: true, scenes: [emptyViews, walkthrough] },
  { name: 'restricted mode', workspace: 'sample', trusted: false, scenes: [untrusted] },
];
