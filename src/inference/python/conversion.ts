import { z } from 'zod';
import type { ConvertibleFlavor } from '../../protocol/conversion.ts';
import { SlipwayError } from '../../protocol/errors.ts';
import type { Tensor } from '../datatypes.ts';
import { InterpreterEnded, startInterpreter } from './interpreter.ts';
import { tensorHeader } from './messages.ts';
import { decodeTensors } from './tensors.ts';

export interface PythonConversionOptions {
  readonly name: string;
  readonly version: number;
  readonly flavor: ConvertibleFlavor;
  /** Absolute path of the folder with the MLmodel file. */
  readonly folder: string;
  /** Absolute path of the interpreter. */
  readonly python: string;
  /** A CSV or Parquet file of the model's run; null when there is none. */
  readonly dataset: string | null;
  /** Absolute path of a folder that is not there yet: the converted model, as MLflow writes it. */
  readonly output: string;
  /** At most so many rows of the dataset and of those that are made up. */
  readonly rows: number;
  readonly progress: (fraction: number, message: string) => void;
}

/** Rows with what the native model answered for them. */
export interface RowsToCheck {
  readonly source: 'example' | 'dataset' | 'generated';
  readonly rows: number;
  /** Why there are none; null when there are. */
  readonly skipped: string | null;
  /** In the order of the ONNX model's inputs. */
  readonly feeds: readonly Tensor[];
  /** By name of the ONNX model's outputs. */
  readonly expected: readonly { readonly name: string; readonly tensor: Tensor }[];
}

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress'), fraction: z.number(), message: z.string() }),
  z.object({ type: z.literal('missing'), packages: z.array(z.string()) }),
  z.object({ type: z.literal('failed'), detail: z.string() }),
  z.object({
    type: z.literal('converted'),
    checks: z.array(
      z.object({
        source: z.enum(['example', 'dataset', 'generated']),
        rows: z.number(),
        skipped: z.string().nullable(),
        feeds: z.array(tensorHeader),
        expected: z.array(tensorHeader.extend({ name: z.string() })),
      }),
    ),
  }),
]);

/**
 * Makes an ONNX model of a native one, in the person's interpreter, and rows to compare both on. Runs the model's code,
 * so whoever calls this has asked the person.
 *
 * @throws SlipwayError `pythonPackagesMissing` or `conversionFailed`.
 */
export async function convertInPython(options: PythonConversionOptions): Promise<readonly RowsToCheck[]> {
  const { name: model, version, python, progress, folder, flavor, dataset, output, rows } = options;
  const interpreter = startInterpreter({
    python,
    script: 'convert.py',
    args: [],
    output: (text) => void process.stderr.write(text),
  });
  try {
    interpreter.send({ folder, flavor, dataset, output, rows }, []);
    for (;;) {
      const { header, body } = await interpreter.receive();
      const said = message.parse(header);
      if (said.type === 'progress') progress(said.fraction, said.message);
      else if (said.type === 'missing') {
        const command = `${python} -m pip install ${said.packages.join(' ')}`;
        const packages = said.packages.join(', ');
        throw new SlipwayError('pythonPackagesMissing', { model, version, python, packages, command });
      } else if (said.type === 'failed') {
        throw new SlipwayError('conversionFailed', { model, version, detail: said.detail });
      } else return decodeChecks(said.checks, body);
    }
  } catch (error) {
    if (!(error instanceof InterpreterEnded)) throw error;
    throw new SlipwayError('conversionFailed', { model, version, detail: error.message }, { cause: error });
  } finally {
    interpreter.kill();
    await interpreter.ended;
  }
}

function decodeChecks(
  checks: Extract<z.infer<typeof message>, { type: 'converted' }>['checks'],
  body: Buffer,
): readonly RowsToCheck[] {
  const tensors = [
    ...decodeTensors(
      checks.flatMap(({ feeds, expected }) => [...feeds, ...expected]),
      body,
    ),
  ];
  return checks.map(({ source, rows, skipped, feeds, expected }) => ({
    source,
    rows,
    skipped,
    feeds: tensors.splice(0, feeds.length),
    expected: tensors
      .splice(0, expected.length)
      .map((tensor, index) => ({ name: expected[index]?.name ?? '', tensor })),
  }));
}
