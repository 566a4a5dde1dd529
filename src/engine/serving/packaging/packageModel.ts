import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { SlipwayError } from '../../../protocol/errors.ts';
import {
  type PackageConfig,
  type PackagedModel,
  packageConfig,
  packageFiles,
  writeDigests,
} from '../../../protocol/packagedModel.ts';
import { type PackageParts, packageParts, packagePartsFile } from '../../../protocol/packageParts.ts';
import type { ScorerModelInput } from '../../../protocol/scorer.ts';
import { billOfMaterials } from './billOfMaterials.ts';
import { digestsBelow, sizeOfFolder } from './digests.ts';
import { dockerfileText, dockerignoreText } from './dockerfile.ts';
import { externalDataFiles } from './externalData.ts';
import { licenceFiles } from './licences.ts';
import { nativeModuleFiles, type Platform, thisPlatform } from './nativeModules.ts';
import { imageName, readmeText } from './readme.ts';
import { recordAnswer } from './recordedAnswer.ts';

export interface PackageOptions {
  readonly model: ScorerModelInput;
  /** Absolute path of the folder to write. */
  readonly folder: string;
  /** Whether a folder that is there already is replaced. */
  readonly replace: boolean;
  /** Whose native modules it takes along; undefined: this machine's. */
  readonly platform: Platform | undefined;
  /** What `config.json` says in place of the defaults. */
  readonly config: { readonly [Setting in keyof PackageConfig]?: PackageConfig[Setting] | undefined };
  /** The folder of the bundles. */
  readonly dist: string;
  /** Hears what the scorer has to say while its answer is recorded. */
  readonly warn: (message: string) => void;
}

export interface PackageReport {
  readonly folder: string;
  readonly model: string;
  readonly version: number;
  readonly platform: string;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Writes a folder that serves a model with Node.js alone. It is written beside its place and renamed, so there is never
 * half a package; the model is run once, so that the package knows an answer to test itself with.
 *
 * @throws SlipwayError `packageFolderTaken`, `packageFailed`, `platformMissing`, `pythonNotPackaged`, or what the scorer
 * failed with.
 */
export async function packageModel(options: PackageOptions): Promise<PackageReport> {
  const folder = resolve(options.folder);
  if (!options.replace && existsSync(folder)) throw new SlipwayError('packageFolderTaken', { folder });
  const parts = packageParts.parse(JSON.parse(await readFile(join(options.dist, packagePartsFile), 'utf8')));
  try {
    await mkdir(dirname(folder), { recursive: true });
    const partial = await mkdtemp(join(dirname(folder), `.${basename(folder)}-`));
    try {
      const report = await fill(partial, options, parts);
      // Made for its maker's eyes alone; the package is for others, too.
      await chmod(partial, 0o755);
      if (options.replace) await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
      return { ...report, folder };
    } finally {
      await rm(partial, { recursive: true, force: true });
    }
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && 'syscall' in error)) throw error;
    throw new SlipwayError('packageFailed', { folder, detail: error.message }, { cause: error });
  }
}

async function fill(
  folder: string,
  { model, platform = thisPlatform, config, dist, warn }: PackageOptions,
  parts: PackageParts,
): Promise<Omit<PackageReport, 'folder'>> {
  const write = async (path: string, text: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  };
  const copy = async (source: string, path: string) => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await copyFile(source, join(folder, path));
  };
  const holdsLinuxModules = platform.startsWith('linux-');
  for (const { source, path } of nativeModuleFiles(dist, platform)) await copy(source, path);
  for (const bundle of Object.keys(parts.bundles)) {
    await copy(join(dist, bundle), bundle === 'standalone.cjs' ? packageFiles.start : bundle);
  }
  for (const [file, text] of licenceFiles(parts)) await write(`LICENSES/${file}`, text);

  const packaged = await copyModel(model, (source, path) =>
    copy(source, join(packageFiles.modelFolder, path)),
  );
  const test = await recordAnswer(join(dist, 'scorer.cjs'), model, warn);
  await write(join(packageFiles.modelFolder, packageFiles.model), json({ ...packaged, test }));
  const settings = packageConfig.parse({ ...config, platform });
  await write(packageFiles.config, json(settings));
  await write('package.json', json(manifest(packaged, parts)));

  const { name, version } = packaged;
  const { port } = settings;
  const inside = await digestsBelow(folder);
  await write(packageFiles.bill, billOfMaterials({ model: name, version, parts, digests: inside }));
  await write(
    'README.md',
    readmeText({
      model: name,
      version,
      port,
      platform,
      request: test.request,
      slipwayVersion: parts.slipway.version,
    }),
  );
  // What people are meant to edit is not compared.
  const { [packageFiles.config]: _edited, ...fixed } = Object.fromEntries(await digestsBelow(folder));
  await write(packageFiles.digests, writeDigests(new Map(Object.entries(fixed))));
  await write('Dockerfile', dockerfileText({ model: name, version, port, holdsLinuxModules }));
  await write('.dockerignore', dockerignoreText(holdsLinuxModules));
  return { model: name, version, platform, ...sizeOfFolder(folder) };
}

/** Copies the ONNX file, the files that hold its tensors, and its input example. */
async function copyModel(
  { name, version, source, columns, example, labels, digest }: ScorerModelInput,
  copy: (source: string, path: string) => Promise<void>,
): Promise<PackagedModel> {
  if (source.type !== 'onnx') {
    throw new SlipwayError('pythonNotPackaged', { model: name, version });
  }
  const file = 'model.onnx';
  await copy(source.file, file);
  const outside = externalDataFiles(source.file, await readFile(source.file), { name, version });
  for (const [path, found] of outside) await copy(found, path);
  const exampleFile = 'inputExample.json';
  if (example) await copy(example, exampleFile);
  return {
    name,
    version,
    file,
    columns: columns ?? null,
    example: example ? exampleFile : null,
    labels: [...(labels ?? [])],
    digest: digest ?? null,
    test: null,
  };
}

/** What npm fetches where the native modules are not inside. */
function manifest({ name, version }: PackagedModel, { packages }: PackageParts) {
  const versionOf = (wanted: string) => packages.find((found) => found.name === wanted)?.version ?? '*';
  return {
    name: imageName(name),
    version: `${version}.0.0`,
    private: true,
    main: packageFiles.start,
    scripts: {
      start: `node ${packageFiles.start}`,
      test: `node ${packageFiles.start} --self-test`,
    },
    dependencies: {
      'better-sqlite3': versionOf('better-sqlite3'),
      'onnxruntime-node': versionOf('onnxruntime-node'),
    },
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
