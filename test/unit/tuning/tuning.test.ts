import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readSettings } from '../../../src/engine/serving/settings.ts';
import { endpointsSettings } from '../../../src/protocol/endpointSettings.ts';
import { type ErrorKind, SlipwayError } from '../../../src/protocol/errors.ts';
import { say } from '../../../src/protocol/servingSentences.ts';
import type { Measurement, RuntimeChoice } from '../../../src/protocol/tuning.ts';
import { choose } from '../../../src/tuning/choice.ts';
import { repeatRows, waysToRun } from '../../../src/tuning/measurement.ts';
import { settingsText, writeSettings } from '../../../src/tuning/settingsFile.ts';
import { inTemporaryFolder } from '../../engine/headless.ts';
import { portuguese } from '../serving/portuguese.ts';

/** Measurements of a machine with two cores, whose rates a function gives. */
function measured(rate: (way: RuntimeChoice) => number, spread = 1): readonly Measurement[] {
  return waysToRun(2).map((way) => ({
    ...way,
    rate: rate(way),
    spread,
    p50: 1,
    p99: 2,
    processorMicroseconds: 100,
    residentBytes: 100e6 * way.processes,
  }));
}

const chosenOf = (measurements: readonly Measurement[]) => {
  const { threads, processes, batchRows } = choose(measurements).chosen;
  return { threads, processes, batchRows };
};

const reasonsOf = (measurements: readonly Measurement[]) => say(choose(measurements).reasons.flat());

describe('The choice of threads, processes and batches', () => {
  it('stays with the default where nothing is clearly faster', () => {
    const measurements = measured(({ threads, processes, batchRows }) =>
      threads > 1 ? 800 : processes > 1 ? 1200 : batchRows === 8 ? 1050 : 1000,
    );
    assert.deepEqual(chosenOf(measurements), { threads: 1, processes: 1, batchRows: 1024 });
    const { reasons } = choose(measurements);
    assert.deepEqual(
      reasons.map((reason) => say(reason)),
      [
        'Requests that are there at the same time are joined, up to 1024 rows: as many requests as without joining.',
        '1 thread in one run: 2 threads answer 0.8 times as many requests. More threads spin while they wait for each other.',
        '1 process: 2 answer 1.2 times as many requests, which is not worth it. Memory: 100 MB instead of 200 MB.',
      ],
    );
    assert.deepEqual(
      reasons.map((reason) => say(reason, portuguese)),
      [
        'As requisições presentes ao mesmo tempo são agrupadas, até 1.024 linhas: o mesmo número de requisições em comparação com não agrupar.',
        '1 thread em cada execução: 2 threads atendem 0,8 vezes o número de requisições. Com mais threads, elas ocupam o processador enquanto esperam umas pelas outras.',
        '1 processo: 2 atendem 1,2 vezes o número de requisições, o que não compensa. Memória: 100 MB em vez de 200 MB.',
      ],
    );
  });

  it('takes what is clearly faster, and says how much', () => {
    const measurements = measured(
      ({ processes, batchRows }) => 1000 * (processes === 2 ? 1.8 : 1) * (batchRows === 64 ? 1.5 : 1),
    );
    assert.deepEqual(chosenOf(measurements), { threads: 1, processes: 2, batchRows: 64 });
    assert.match(
      reasonsOf(measurements),
      /2 processes share the port: 1\.8 times as many requests as 1 process\. Memory: 200 MB instead of 100 MB\./,
    );
    const large = measured(({ threads }) => 1000 * threads);
    assert.deepEqual(chosenOf(large), { threads: 2, processes: 1, batchRows: 1024 });
    assert.match(reasonsOf(large), /2 threads in one run: 2 times as many requests as with 1 thread\./);
    const alone = measured(({ batchRows }) => (batchRows === 1 ? 2000 : 1000));
    assert.equal(chosenOf(alone).batchRows, 1);
    assert.match(reasonsOf(alone), /not joined: batches of up to 1024 rows answer 0\.5 times as many/);
    const withoutMemory = measurements.map((one) => ({ ...one, residentBytes: null }));
    assert.doesNotMatch(reasonsOf(withoutMemory), /Memory/);
  });

  it('says when the machine was too busy for its figures to be trusted', () => {
    assert.equal(choose(measured(() => 1000)).reasons.length, 3);
    assert.match(
      say(choose(measured(() => 1000, 1.8)).reasons[3] ?? []),
      /busy with other things.* 1\.8 times/,
    );
  });

  it('tries no more than the machine has', () => {
    assert.deepEqual(
      new Set(waysToRun(1).map(({ threads, processes }) => threads * processes)),
      new Set([1]),
    );
    for (const cores of [2, 3, 4, 8, 64]) {
      const ways = waysToRun(cores);
      assert.ok(
        ways.every(({ threads, processes }) => threads * processes <= cores),
        String(cores),
      );
      assert.ok(ways.length <= 32, String(cores));
      assert.equal(new Set(ways.map((way) => JSON.stringify(way))).size, ways.length);
    }
  });

  it('asks with as many rows as it is told', () => {
    const example = JSON.stringify({
      inputs: [
        { name: 'x', shape: [1, 2], datatype: 'FP32', data: [1, 2] },
        { name: 'colour', shape: [1, 1], datatype: 'BYTES', data: [['red']] },
      ],
    });
    assert.equal(repeatRows(example, 1), example);
    assert.deepEqual(JSON.parse(repeatRows(example, 3)).inputs, [
      { name: 'x', shape: [3, 2], datatype: 'FP32', data: [1, 2, 1, 2, 1, 2] },
      { name: 'colour', shape: [3, 1], datatype: 'BYTES', data: ['red', 'red', 'red'] },
    ]);
  });
});

describe('The choice in slipway.yaml', () => {
  const choice = { threads: 1, processes: 2, batchRows: 64 };

  it('reads as it is shown', () => {
    assert.equal(
      settingsText('', { model: 'wine' }, choice),
      'endpoints:\n  wine:\n    runtime:\n      threads: 1\n      processes: 2\n      batchRows: 64\n',
    );
  });

  it('is written beside what is there, comments included', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'slipway.yaml');
      await writeSettings(file, { model: 'wine' }, choice);
      assert.equal(await readFile(file, 'utf8'), settingsText('', { model: 'wine' }, choice));
      await writeFile(
        file,
        [
          '# What we serve',
          'endpoints:',
          '  # the old one',
          '  red:',
          '    model: wine',
          '    runtime:',
          '      threads: 4 # measured in May',
          '      # as many as cores',
          '      processes: 8',
          'gates: {}',
          '',
        ].join('\n'),
      );
      await writeSettings(file, { model: 'wine' }, choice);
      const text = await readFile(file, 'utf8');
      assert.equal(
        text,
        [
          '# What we serve',
          'endpoints:',
          '  # the old one',
          '  red:',
          '    model: wine',
          '    runtime:',
          '      threads: 1 # measured in May',
          '      # as many as cores',
          '      processes: 2',
          '      batchRows: 64',
          'gates: {}',
          '',
        ].join('\n'),
      );
      const read = endpointsSettings.parse({ red: { model: 'wine', runtime: choice } });
      assert.deepEqual(read.red?.runtime, choice);
    }));

  it('declares an endpoint that was not with what it serves, so that nothing else changes', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'slipway.yaml');
      const read = async () => {
        const found = readSettings(await readFile(file, 'utf8'));
        assert.ok('settings' in found, JSON.stringify(found));
        return found.settings.endpoints;
      };
      await writeSettings(file, { endpoint: 'front', model: 'wine', version: 3 }, choice);
      const { front } = await read();
      assert.deepEqual([front?.model, front?.stable, front?.runtime], ['wine', { version: 3 }, choice]);
      await writeSettings(file, { endpoint: 'wine', model: 'wine', version: 4 }, choice);
      const { wine } = await read();
      assert.deepEqual([wine?.model, wine?.stable], [undefined, { version: 4 }]);
      // What is declared already keeps what it follows.
      for (const text of ['endpoints: { wine: {} }\n', 'endpoints:\n  wine:\n']) {
        await writeFile(file, text);
        await writeSettings(file, { endpoint: 'wine', model: 'wine', version: 4 }, choice);
        const found = await read();
        assert.deepEqual([found.wine?.stable, found.wine?.runtime], [{ stage: 'Production' }, choice], text);
      }
    }));

  it('is not written into a file that is no YAML', () =>
    inTemporaryFolder(async (folder) => {
      const file = join(folder, 'slipway.yaml');
      const refused = async (text: string, kind: ErrorKind) => {
        await writeFile(file, text);
        await assert.rejects(writeSettings(file, { model: 'wine' }, choice), (error) => {
          assert.ok(error instanceof SlipwayError);
          assert.equal(error.kind, kind);
          assert.doesNotMatch(error.message, /\n|\{/);
          return true;
        });
        assert.equal(await readFile(file, 'utf8'), text);
      };
      await refused('# What we serve\nendpoints: [', 'settingsNotWritten');
      await refused('endpoints: none\n', 'settingsHoldNoEndpoints');
    }));
});
