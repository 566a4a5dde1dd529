import { execFile } from 'node:child_process';
import { availableParallelism, cpus, release, tmpdir, totalmem, type } from 'node:os';
import { promisify } from 'node:util';
import type { GraphicsProcessor, Machine } from '../../protocol/provenance.ts';

const patienceMilliseconds = 5_000;
const mebibyte = 1024 * 1024;

/** This machine: processor, memory, operating system, and the graphics processors that NVIDIA's driver knows. */
export async function describeMachine(signal: AbortSignal): Promise<Machine> {
  return {
    operatingSystem: `${type() === 'Darwin' ? 'macOS (Darwin)' : type()} ${release()} ${process.arch}`,
    processor: cpus()[0]?.model.trim() ?? '',
    coreCount: availableParallelism(),
    memory: totalmem(),
    graphicsProcessors: await graphicsProcessors(signal),
  };
}

/** None when the driver's own tool is not there, or does not answer. */
async function graphicsProcessors(signal: AbortSignal): Promise<readonly GraphicsProcessor[]> {
  const args = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader,nounits'];
  const answer = await promisify(execFile)('nvidia-smi', args, {
    cwd: tmpdir(),
    signal,
    timeout: patienceMilliseconds,
    killSignal: 'SIGKILL',
    windowsHide: true,
  }).catch(() => null);
  return (answer?.stdout ?? '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [name = '', memory = '', driver = ''] = line.split(',').map((field) => field.trim());
      return { name, memory: (Number(memory) || 0) * mebibyte, driver };
    });
}
