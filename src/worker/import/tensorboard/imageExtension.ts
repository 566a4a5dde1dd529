/** The first bytes of image formats, as latin1. */
const beginnings = [
  ['\x89PNG', 'png'],
  ['\xff\xd8\xff', 'jpg'],
  ['GIF8', 'gif'],
  ['RIFF', 'webp'],
  ['BM', 'bmp'],
] as const;

/** The file name extension of an encoded image, by how it begins. */
export function imageExtension(content: Uint8Array): string {
  const beginning = String.fromCharCode(...content.subarray(0, 4));
  return beginnings.find(([bytes]) => beginning.startsWith(bytes))?.[1] ?? 'bin';
}
