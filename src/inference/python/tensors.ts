import { writeBinaryTensor } from '../binaryTensors.ts';
import { allocate, type Tensor } from '../datatypes.ts';
import { elementCount } from '../tensorJson.ts';
import type { TensorHeader } from './messages.ts';

/** Feeds as the body of a frame. */
export interface EncodedTensors {
  readonly headers: readonly (TensorHeader & { readonly absent?: true })[];
  readonly chunks: readonly Uint8Array[];
}

/** What a client left out takes no bytes. */
export function encodeTensors(tensors: readonly Tensor[]): EncodedTensors {
  const chunks = tensors.map((tensor) => (tensor.absent ? new Uint8Array(0) : contentOf(tensor)));
  const headers = tensors.map(({ datatype, shape, absent }, index) => ({
    datatype,
    shape: [...shape],
    bytes: chunks[index]?.length ?? 0,
    ...(absent && { absent }),
  }));
  return { headers, chunks };
}

/** The tensors of a frame's body. */
export function decodeTensors(headers: readonly TensorHeader[], body: Buffer): readonly Tensor[] {
  let at = 0;
  return headers.map(({ datatype, shape, bytes }) => {
    const content = body.subarray(at, at + bytes);
    at += bytes;
    const data = allocate(datatype, elementCount(shape));
    if (Array.isArray(data)) readTexts(data, content);
    else new Uint8Array(data.buffer, data.byteOffset, data.byteLength).set(content);
    return { datatype, shape, data };
  });
}

/** `missingText` goes as it is: Python makes None of it, where a client would be given an empty text. */
function contentOf(tensor: Tensor): Uint8Array {
  const { data } = tensor;
  if (!Array.isArray(data)) return writeBinaryTensor(tensor);
  const content = Buffer.alloc(data.reduce((sum, text) => sum + lengthBytes + Buffer.byteLength(text), 0));
  let at = 0;
  for (const text of data) {
    const length = content.write(text, at + lengthBytes);
    at = content.writeUInt32LE(length, at) + length;
  }
  return content;
}

const lengthBytes = 4;

function readTexts(texts: string[], content: Buffer): void {
  let at = 0;
  for (let index = 0; index < texts.length; index++) {
    const end = at + lengthBytes + content.readUInt32LE(at);
    texts[index] = content.toString('utf8', at + lengthBytes, end);
    at = end;
  }
}
