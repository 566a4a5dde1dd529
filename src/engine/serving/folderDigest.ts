import { createHash, type Hash } from 'node:crypto';
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Digests of folders, which are remembered as long as no file in them was touched. */
export interface FolderDigests {
  /** SHA-256, in hexadecimal digits, of the files in a folder: their paths and what is in them. */
  of(folder: string): Promise<string>;
  /** The same at once, for those who cannot wait; null when so much is to be read first that it would block. */
  atOnce(folder: string): string | null;
}

interface FolderFile {
  readonly file: string;
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  /** Differs when the file was touched. */
  readonly mark: string;
  readonly bytes: number;
  readonly isLink: boolean;
}

/** So much is read and digested in some hundredths of a second. */
const bytesAtOnce = 16 * 1024 * 1024;

/** @param most how many bytes `atOnce` may read. */
export function createFolderDigests(most = bytesAtOnce): FolderDigests {
  const reading = new Map<string, Promise<string>>();
  const known = new Map<string, { readonly marks: string; readonly digest: string }>();
  const remembered = (folder: string, files: readonly FolderFile[]): string | null => {
    const found = known.get(folder);
    return found?.marks === marksOf(files) ? found.digest : null;
  };
  const remember = (folder: string, files: readonly FolderFile[], digest: string): string => {
    known.set(folder, { marks: marksOf(files), digest });
    return digest;
  };
  const read = async (folder: string): Promise<string> => {
    const files = filesIn(folder);
    const found = remembered(folder, files);
    if (found !== null) return found;
    const contents: string[] = [];
    for (const file of files) contents.push(linkContent(file) ?? (await fileDigest(file.file)));
    return remember(folder, files, digestOf(files, contents));
  };
  return {
    of(folder) {
      const begun = reading.get(folder);
      if (begun) return begun;
      const digest = read(folder).finally(() => reading.delete(folder));
      reading.set(folder, digest);
      return digest;
    },
    atOnce(folder) {
      const files = filesIn(folder);
      const found = remembered(folder, files);
      if (found !== null) return found;
      if (files.reduce((sum, { bytes }) => sum + bytes, 0) > most) return null;
      const contents = files.map(
        (file) => linkContent(file) ?? hash().update(readFileSync(file.file)).digest('hex'),
      );
      return remember(folder, files, digestOf(files, contents));
    },
  };
}

/** SHA-256, in hexadecimal digits, of the files in a folder: their paths and what is in them. */
export async function folderDigest(folder: string): Promise<string> {
  return createFolderDigests().of(folder);
}

function filesIn(folder: string): readonly FolderFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => {
      const file = join(entry.parentPath, entry.name);
      const { ino, size, mtimeNs, ctimeNs } = lstatSync(file, { bigint: true });
      return {
        file,
        path: relative(folder, file).split(sep).join('/'),
        mark: `${ino} ${size} ${mtimeNs} ${ctimeNs}`,
        bytes: Number(size),
        isLink: entry.isSymbolicLink(),
      };
    })
    .sort((one, other) => (one.path < other.path ? -1 : 1));
}

function marksOf(files: readonly FolderFile[]): string {
  return JSON.stringify(files.map(({ path, mark }) => [path, mark]));
}

/** A symbolic link counts as the text that it holds; null when it is none. */
function linkContent({ file, isLink }: FolderFile): string | null {
  return isLink ? `link ${readlinkSync(file)}` : null;
}

function digestOf(files: readonly FolderFile[], contents: readonly string[]): string {
  return hash()
    .update(JSON.stringify(files.map(({ path }, index) => [path, contents[index]])))
    .digest('hex');
}

async function fileDigest(file: string): Promise<string> {
  const content = hash();
  for await (const chunk of createReadStream(file)) content.update(chunk);
  return content.digest('hex');
}

function hash(): Hash {
  return createHash('sha256');
}
