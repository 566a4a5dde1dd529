import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { slipwaySettings } from '../../src/protocol/endpointSettings.ts';

/** Where the manifest has it for the YAML extension, which completes and checks `slipway.yaml` by it. */
export const settingsSchemaFile = join(import.meta.dirname, '../../media/slipway.schema.json');

/** The JSON schema of `slipway.yaml` as text. */
export function settingsSchema(): string {
  const schema = z.toJSONSchema(slipwaySettings, { io: 'input', target: 'draft-7' });
  return `${JSON.stringify({ title: 'Slipway settings', ...schema }, null, 2)}\n`;
}

// Run by itself it writes the file.
if (process.argv[1] === import.meta.filename) writeFileSync(settingsSchemaFile, settingsSchema());
