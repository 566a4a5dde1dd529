import { open } from 'node:fs/promises';

/** A message of protobuf cannot be longer, and so an ONNX file cannot either. */
const largestFile = 2 ** 31 - 1;

/**
 * The bytes of an ONNX file.
 *
 * @throws Error that says in words what the file is instead.
 */
export async function readModelFile(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    const { size } = await handle.stat();
    if (size > largestFile) {
      throw new Error(
        `it has ${(size / 1e9).toFixed(1)} GB, but an ONNX file may have at most 2 GB; save its weights as external data beside it`,
      );
    }
    const bytes = await handle.readFile();
    const mistaken = otherContent(bytes);
    if (mistaken) throw new Error(mistaken);
    return bytes;
  } finally {
    await handle.close();
  }
}

async function openFile(file: string) {
  try {
    return await open(file);
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    throw isMissing ? new Error('the file is not there', { cause: error }) : error;
  }
}

/** What the bytes are when they are clearly no ONNX model; null otherwise. */
function otherContent(bytes: Buffer): string | null {
  if (bytes.length === 0) return 'the file is empty';
  const beginning = bytes.toString('latin1', 0, 256);
  if (beginning.startsWith('version https://git-lfs.github.com/spec/')) {
    return 'the file is a pointer of Git LFS and not the model itself; fetch it with "git lfs pull"';
  }
  if (beginning.startsWith('PK\x03\x04'))
    return 'the file is a zip archive, such as PyTorch writes, and no ONNX model';
  // Every pickle since protocol 2 begins with the byte 0x80, which no ONNX model does.
  if (bytes[0] === 0x80) return 'the file is a Python pickle and no ONNX model';
  if (/^[\s!-~]+$/.test(beginning)) return 'the file is text and no ONNX model';
  return null;
}
