import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import type { MetricSeries } from '../../src/protocol/tracking.ts';
import { openTrackingEngine, type TrackingEngine } from '../engine/trackingEngine.ts';
import type { FakeHost, Request } from './fakeHost.ts';
import type { OpenPage } from './openPage.ts';
import { pagesOfSuite } from './pagesOfSuite.ts';

const million = 1_000_000;
const pointsPerBatch = 1000;

/** The run page over a real engine, in whose run a metric has a million points. */
describe('run page of a million points', function () {
  this.timeout(120_000);
  const pages = pagesOfSuite();
  let engine: TrackingEngine;
  let runId: string;
  let open: OpenPage;
  /** What came from the engine for each question after points. */
  let answers: MetricSeries[];
  const answered = new EventEmitter();

  const valueAt = (step: number) =>
    step === 123_456
      ? 9
      : step === 654_321
        ? Number.NaN
        : Math.sin(step / 50_000) + 0.3 * Math.sin(step * 7.1);
  const log = (from: number, count: number) => {
    for (let first = from; first < from + count; first += pointsPerBatch) {
      engine.tracking.logBatch(runId, {
        metrics: Array.from({ length: Math.min(pointsPerBatch, from + count - first) }, (_, index) => {
          const step = first + index;
          return { key: 'loss', value: valueAt(step), timestamp: 1_700_000_000_000 + step, step };
        }),
        parameters: [],
        tags: [],
      });
    }
  };

  before(async () => {
    engine = await openTrackingEngine();
    runId = engine.tracking.createRun({ experimentId: '0', name: 'long', userId: 'ana', tags: [] }).info
      .runId;
    log(0, million);
  });
  after(() => engine.close());
  beforeEach(async () => {
    answers = [];
    open = await pages.open('run', hostOf());
  });

  function hostOf(): FakeHost {
    return {
      subject: { page: 'run', folder: 'file:///work', runId },
      trusted: true,
      async answer({ method, params }: Request) {
        if (method === 'tracking/run') return engine.tracking.runDetail(runId);
        if (method === 'tracking/artifacts') return [];
        if (method !== 'tracking/metricSeries') return null;
        const found = await engine.tracking.metricSeries(params);
        answers.push(...found);
        answered.emit('answer');
        return found;
      },
    };
  }

  const card = () => open.page.getByRole('article', { name: 'loss', exact: true });
  const curve = () => card().getByRole('img');
  const told = (text: string | RegExp) => card().getByText(text).waitFor();
  const changed = () =>
    open.send({ type: 'event', event: 'tracking/changed', data: { experimentIds: ['0'], runIds: [runId] } });
  async function dragOver(from: number, to: number): Promise<void> {
    await curve().scrollIntoViewIfNeeded();
    const box = await curve().boundingBox();
    assert.ok(box);
    await open.page.mouse.move(box.x + box.width * from, box.y + 60);
    await open.page.mouse.down();
    await open.page.mouse.move(box.x + box.width * to, box.y + 60);
    await open.page.mouse.up();
  }

  it('gets a few thousand of them, with the peak and the gap, and says so', async () => {
    await told(/^1,000,000 points, 1,\d{3} shown$/);
    await open.page.getByRole('img', { name: /^loss: 1,000,000 points, from -1\.3 to 9, / }).waitFor();
    await told('Not finite, shown as gaps: 1 point, the last at step 654,321.');
    assert.equal(answers.length, 1);
    const [series] = answers;
    assert.ok(series && series.steps.length <= 2000 && series.represented === million);
    assert.ok(series.steps.includes(123_456) && series.steps.includes(654_321));
    assert.equal(series.steps[0], 0);
    assert.equal(series.steps.at(-1), million - 1);
  });

  it('gets those of the part that a person zooms to, until all of them are shown', async () => {
    await told(/^1,000,000 points/);
    await dragOver(0.4, 0.6);
    await told(/^\d{3},\d{3} points in this part, \d,\d{3} shown$/);
    for (let zoom = 0; zoom < 6; zoom += 1) {
      const next = once(answered, 'answer');
      await dragOver(0.4, 0.5);
      await next;
      if ((answers.at(-1)?.represented ?? 0) <= 2000) break;
    }
    await told(/ points in this part, all shown$/);
    const last = answers.at(-1);
    assert.ok(last && last.steps.length === last.represented + 2, 'with a neighbour on either side');
    assert.ok(answers.every(({ steps }) => steps.length <= 2000));
    await card().getByRole('button', { name: 'Show All Points' }).click();
    await told(/^1,000,000 points, /);
  });

  it('gets the moving average of all points', async () => {
    await told(/^1,000,000 points/);
    await open.page.getByRole('slider', { name: 'Smoothing' }).fill('0.9');
    await card().getByText('as logged').waitFor();
    const series = answers.at(-1);
    assert.ok(series?.smoothed);
    const place = series.steps.indexOf(123_456);
    // The average of one peak in noise is far below it: it was not made from the peaks that were kept.
    assert.ok((series.smoothed[place] ?? 0) < 2);
  });

  it('gets only what is new while the run grows', async () => {
    await told(/^1,000,000 points/);
    await dragOver(0.2, 0.3);
    await told(/in this part/);
    const window = answers.at(-1);
    const asked = answers.length;
    log(million, 500);
    await changed();
    await open.page.getByRole('img', { name: /^loss: 1,000,500 points/ }).waitFor();
    assert.equal(answers.length, asked + 1);
    assert.equal(answers.at(-1)?.steps.length, 500);
    await told(
      `${window?.represented.toLocaleString('en')} points in this part, ${window?.steps.length.toLocaleString('en')} shown`,
    );
  });
});
