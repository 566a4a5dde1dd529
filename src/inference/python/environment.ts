import { z } from 'zod';
import type { PythonEnvironment } from '../../protocol/pythonModels.ts';
import { InterpreterEnded, startInterpreter } from './interpreter.ts';

const environmentMessage = z.object({
  pythonVersion: z.string(),
  wantedPython: z.string().nullable(),
  missing: z.array(z.string()),
  different: z.array(z.object({ name: z.string(), wanted: z.string(), found: z.string() })),
});

const patienceMilliseconds = 60_000;

/**
 * Compares what an interpreter has with what the model in a folder was logged with. Loads nothing of the model.
 *
 * @throws Error when the interpreter cannot be asked.
 */
export async function checkEnvironment(python: string, folder: string): Promise<PythonEnvironment> {
  let said = '';
  const interpreter = startInterpreter({
    python,
    script: 'check.py',
    args: [folder],
    output: (text) => {
      said += text;
    },
  });
  const deadline = setTimeout(() => interpreter.kill(), patienceMilliseconds);
  try {
    const { header } = await interpreter.receive();
    return environmentMessage.parse(header);
  } catch (error) {
    if (error instanceof InterpreterEnded) throw new Error(error.message, { cause: said });
    throw error;
  } finally {
    clearTimeout(deadline);
    interpreter.kill();
    await interpreter.ended;
  }
}
