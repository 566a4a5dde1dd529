import { z } from 'zod';
import type { Datatype } from '../datatypes.ts';
import { runtimeTypes } from '../datatypes.ts';

/** What `pythonWorkers/serve.py` says, in the headers of its frames. */

const datatype = z.custom<Datatype>((value) => typeof value === 'string' && value in runtimeTypes);
const shape = z.array(z.number().int());

const input = z.object({
  name: z.string(),
  datatype,
  shape,
  optional: z.boolean().default(false),
  nullable: z.boolean().default(false),
});

const output = z.object({
  name: z.string(),
  datatype,
  shape: shape.nullable(),
  unnamed: z.boolean(),
});

/** A tensor in the body of a frame: so many bytes, after those of the tensors before it. */
export const tensorHeader = z.object({ datatype, shape, bytes: z.number().int().min(0) });
export type TensorHeader = z.infer<typeof tensorHeader>;

/** The first frame: what the model takes and gives, or why it cannot be loaded. */
export const loadMessage = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('ready'),
    inputs: z.array(input).min(1),
    outputs: z.array(output).min(1),
    warnings: z.array(z.string()),
    facts: z.array(z.object({ name: z.string(), value: z.string() })),
  }),
  z.object({ type: z.literal('failed'), detail: z.string() }),
]);
export type LoadMessage = z.infer<typeof loadMessage>;
export type ReadyMessage = Extract<LoadMessage, { type: 'ready' }>;

/** The answer to a run. */
export const runMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('result'), outputs: z.array(tensorHeader) }),
  /** The values are none that the model takes. */
  z.object({ type: z.literal('refused'), detail: z.string() }),
  z.object({ type: z.literal('failed'), detail: z.string() }),
]);
export type RunMessage = z.infer<typeof runMessage>;
