import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { z } from 'zod';
import { readSettings } from '../../src/engine/serving/settings.ts';
import { settingsFile } from '../../src/protocol/endpointSettings.ts';
import { settingsSchema, settingsSchemaFile } from '../toolchain/settingsSchema.ts';

const manifest = z
  .object({
    contributes: z.object({
      yamlValidation: z.array(z.object({ fileMatch: z.string(), url: z.string() })),
    }),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')));

describe('schema of slipway.yaml', () => {
  const written: unknown = JSON.parse(readFileSync(settingsSchemaFile, 'utf8'));

  it('is the one that the engine reads by', () => {
    const regenerate = 'run "node test/toolchain/settingsSchema.ts" and format what it wrote';
    assert.deepEqual(written, JSON.parse(settingsSchema()), regenerate);
  });

  it('is contributed for the file in the workspace folder', () => {
    const url = './media/slipway.schema.json';
    assert.deepEqual(manifest.contributes.yamlValidation, [{ fileMatch: settingsFile, url }]);
    assert.equal(join(import.meta.dirname, '../..', url), settingsSchemaFile);
  });

  it('takes what the engine takes, its own defaults included, and refuses what has wrong types', () => {
    const schema = z.looseObject({}).parse(written);
    const validate = new Ajv({ allErrors: true, useDefaults: true }).compile(schema);
    const whole: unknown = { endpoints: { wine: { rollout: {}, shadow: { of: { version: 1 } } } } };
    assert.ok(validate(whole), JSON.stringify(validate.errors));
    // With every default filled in as the schema writes it, it is still what the engine takes.
    assert.ok(
      'settings' in readSettings(JSON.stringify(whole)),
      JSON.stringify(readSettings(JSON.stringify(whole))),
    );
    for (const wrong of [
      { endpoint: {} },
      { endpoints: { wine: { port: '80' } } },
      { endpoints: { wine: { stable: { stage: 'Prod' } } } },
      { endpoints: { wine: { rollout: { steps: [] } } } },
      { endpoints: { wine: { limits: { run: '1 minute' } } } },
      { endpoints: { wine: { hosts: ['https://a.example'] } } },
      { endpoints: { wine: { hosts: 'a.example' } } },
    ]) {
      assert.ok(!validate(structuredClone(wrong)), JSON.stringify(wrong));
      assert.ok('problems' in readSettings(JSON.stringify(wrong)));
    }
  });
});
