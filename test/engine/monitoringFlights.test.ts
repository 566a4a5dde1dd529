import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DriftReport } from '../../src/protocol/monitoring.ts';
import { seededRandom } from '../unit/statistics/sequences.ts';
import { requestsOf } from './inferenceLog.ts';
import { onStage } from './monitoringStage.ts';

const data = join(import.meta.dirname, '../../media/sample/data');
const spring = join(data, 'train.csv');
const june = join(data, 'later.csv');

/** What the model takes: all but the time of departure, and what it predicts. */
const inputs = [
  'origin',
  'hour',
  'weekday',
  'distance',
  'departures',
  'recent_delay',
  'day_delay',
  'week_delay',
];

type Flight = Readonly<Record<string, string | number>>;

describe('drift report of the flights of the sample project', () => {
  const flights = flightsIn(spring);

  it('finds no drift in a random sample of the reference itself', async () => {
    for (const seed of [1, 2, 3]) {
      const report = await reportOf(sampleOf(flights, seed));
      assert.deepEqual([report.referenceRows, report.currentRows], [7_000, 3_000]);
      assert.deepEqual([...report.columns.map(({ name }) => name)].sort(), [...inputs].sort());
      assert.deepEqual(drifted(report), [], `seed ${seed}`);
    }
  });

  it('finds what was changed in such a sample and nothing else, what moved most first', async () => {
    const changed = sampleOf(flights, 7).map((flight) => ({
      ...flight,
      origin: 'ATL',
      distance: Number(flight.distance) + 250,
    }));
    const report = await reportOf(changed);
    assert.deepEqual(drifted(report), ['origin', 'distance']);
    const [origin, distance] = report.columns;
    assert.deepEqual([origin?.test.name, distance?.test.name], ['chiSquare', 'kolmogorovSmirnov']);
    assert.ok(origin && distance && origin.psi > distance.psi);
  });

  it('finds the delays of the season of thunderstorms, as the README of the data has them', async () => {
    const report = await reportOf(flightsIn(june));
    assert.deepEqual([report.referenceRows, report.currentRows], [7_000, 4_500]);
    assert.deepEqual(drifted(report), ['week_delay', 'day_delay', 'recent_delay']);
    const known = [
      { psi: 1.97, statistic: '0.468' },
      { psi: 0.99, statistic: '0.389' },
      { psi: 0.32, statistic: '0.223' },
    ];
    for (const [index, { psi, statistic }] of known.entries()) {
      const column = report.columns[index];
      assert.equal(column?.test.statistic.toFixed(3), statistic, column?.name);
      // Quantiles have several definitions, which put the edges of the bins at slightly different places.
      assert.ok(Math.abs(column.psi - psi) < 0.02, `${column.name}: ${column.psi}`);
    }
    for (const { name, psi } of report.columns.slice(3)) assert.ok(psi < 0.01, `${name}: ${psi}`);
  });
});

/** Compares flights, as requests, with the flights of spring. */
function reportOf(flights: readonly Flight[]): Promise<DriftReport> {
  return onStage([], async ({ log, compare }) => {
    log(requestsOf(flights, inputs));
    return compare(spring);
  });
}

function drifted({ columns }: DriftReport): readonly string[] {
  return columns.flatMap((column) => (column.drifted ? [column.name] : []));
}

/** 3,000 of the flights, each at most once. */
function sampleOf(flights: readonly Flight[], seed: number): readonly Flight[] {
  const random = seededRandom(seed);
  return flights
    .map((flight) => ({ flight, place: random() }))
    .sort((one, other) => one.place - other.place)
    .slice(0, 3_000)
    .map(({ flight }) => flight);
}

function flightsIn(file: string): readonly Flight[] {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split(/\r?\n/);
  const names = header.split(',');
  return lines.map((line) => {
    const cells = line.split(',');
    const inputOf = (name: string) => {
      const cell = cells[names.indexOf(name)] ?? '';
      return name === 'origin' ? cell : Number(cell);
    };
    return Object.fromEntries(inputs.map((name) => [name, inputOf(name)]));
  });
}
