import { join } from 'node:path';
import { repository } from '../toolchain/cacheFolder.ts';
import { inSampleProject } from './inSampleProject.ts';
import { view } from './sideBar.ts';

describe('in a project without runs', function () {
  this.timeout(120_000);

  it('each view says what to do first', async () => {
    await inSampleProject({ recorded: false }, async (workbench) => {
      await view(workbench, 'Experiments').getByText('Run a script that uses mlflow').waitFor();
      await view(workbench, 'Models').getByText('Train one first').waitFor();
      await view(workbench, 'Endpoints').getByText('Register a model first').waitFor();
      await workbench.screenshot(join(repository, 'out', 'journey', 'empty-project.png'));
    });
  });
});
