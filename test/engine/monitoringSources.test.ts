import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { errorOfKind } from '../errorOfKind.ts';
import { inTemporaryFolder } from './headless.ts';
import { onStage, trainingData } from './monitoringStage.ts';

describe('sources of a drift report', () => {
  it('are the datasets that lie here, the training one first, and the extent of the log', async () => {
    await onStage(
      [
        { name: 'late', context: 'evaluation', source: 'data/late.parquet' },
        { name: 'elsewhere', context: 'training', source: '{"uri": "s3://bucket/train.csv"}' },
        { name: 'web', context: 'training', source: '{"url": "https://example.com/train.csv"}' },
        { name: 'code', context: 'training', source: '{"tags": {"mlflow.source.name": "train.py"}}' },
        { name: 'gone', context: 'training', source: '{"uri": "gone.csv"}' },
        { name: 'folder', context: 'training', source: 'folder.csv' },
        { name: 'notes', context: 'training', source: 'notes.txt' },
        { name: 'again', context: 'training', source: './train.csv' },
        trainingData,
      ],
      async ({ workspace, monitoring, log }) => {
        mkdirSync(join(workspace, 'data'));
        mkdirSync(join(workspace, 'folder.csv'));
        for (const file of ['train.csv', 'notes.txt', 'data/late.parquet'])
          writeFileSync(join(workspace, file), '');
        assert.deepEqual(monitoring.driftSources('wine'), {
          endpoint: 'wine',
          references: [
            { label: 'again (train.csv)', file: join(workspace, 'train.csv') },
            { label: 'late (late.parquet)', file: join(workspace, 'data', 'late.parquet') },
          ],
          firstRequest: null,
          lastRequest: null,
          rowCount: 0,
        });
        log([
          { receivedAt: 5000, inputs: { a: [1, 2] } },
          { receivedAt: 7000, inputs: { a: [3] } },
          { receivedAt: 9000, inputs: null },
        ]);
        const { firstRequest, lastRequest, rowCount } = monitoring.driftSources('wine');
        assert.deepEqual(
          { firstRequest, lastRequest, rowCount },
          { firstRequest: 5000, lastRequest: 7000, rowCount: 3 },
        );
      },
    );
  });

  it('take addresses of files', async () => {
    await inTemporaryFolder(async (folder) => {
      const file = join(folder, 'my data.csv');
      writeFileSync(file, '');
      const source = JSON.stringify({ uri: pathToFileURL(file).href });
      await onStage([{ name: 'far', context: 'training', source }], async ({ monitoring }) => {
        assert.deepEqual(monitoring.driftSources('wine').references, [{ label: 'far (my data.csv)', file }]);
      });
    });
  });

  it('need an endpoint', async () => {
    await onStage([], async ({ monitoring }) => {
      assert.throws(() => monitoring.driftSources('beer'), errorOfKind('notFound'));
    });
  });
});
