import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { z } from 'zod';
import { SlipwayError } from '../../protocol/errors.ts';
import {
  type PackageConfig,
  type PackagedModel,
  packageConfig,
  packagedModel,
  packageFiles,
} from '../../protocol/packagedModel.ts';

/** A model, and the folder that the paths in it count from. */
export interface FoundModel {
  readonly folder: string;
  readonly model: PackagedModel;
}

/** Where Amazon SageMaker puts a model that is kept apart from its image. */
const mountedModelFolder = '/opt/ml/model';

/** Reads how a package listens and runs. @throws SlipwayError `packageUnusable`. */
export async function readConfig(folder: string): Promise<PackageConfig> {
  return readJson(join(folder, packageFiles.config), packageConfig);
}

/** @throws SlipwayError `packageUnusable` when the package holds no native modules for this machine. */
export function checkPlatform(folder: string, { platform }: PackageConfig): void {
  const runtime = join(folder, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6');
  if (existsSync(join(runtime, process.platform, process.arch))) return;
  const detail = `its native modules are for ${platform}, and this is ${process.platform}-${process.arch}`;
  throw new SlipwayError('packageUnusable', { detail });
}

/**
 * Finds the model to serve: the one in the folder that SLIPWAY_MODEL names, else one that was mounted at
 * `/opt/ml/model`, else the package's own. A folder without a `model.json` is served when it holds one ONNX file.
 *
 * @throws SlipwayError `packageUnusable`.
 */
export async function findModel(packageFolder: string, environment: NodeJS.ProcessEnv): Promise<FoundModel> {
  const named = environment.SLIPWAY_MODEL;
  if (named) return readModel(named);
  if (isModelFolder(mountedModelFolder)) return readModel(mountedModelFolder);
  return readModel(join(packageFolder, packageFiles.modelFolder));
}

async function readModel(folder: string): Promise<FoundModel> {
  const described = join(folder, packageFiles.model);
  if (existsSync(described)) return { folder, model: await readJson(described, packagedModel) };
  const [file, ...others] = onnxFiles(folder);
  if (file === undefined || others.length > 0) {
    const detail = `${folder} holds ${others.length === 0 ? 'no' : 'several'} ONNX files and no ${packageFiles.model}`;
    throw new SlipwayError('packageUnusable', { detail });
  }
  const name = basename(file, extname(file));
  return { folder, model: packagedModel.parse({ name, version: 1, file }) };
}

function isModelFolder(folder: string): boolean {
  return existsSync(join(folder, packageFiles.model)) || onnxFiles(folder).length > 0;
}

function onnxFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).filter((file) => file.endsWith('.onnx'));
}

async function readJson<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.output<Schema>> {
  const unusable = (detail: string, cause: unknown) =>
    new SlipwayError('packageUnusable', { detail: `${file}: ${detail}` }, { cause });
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw unusable(error instanceof Error ? error.message : String(error), error);
  }
  const parsed = schema.safeParse(content);
  if (!parsed.success) throw unusable(z.prettifyError(parsed.error).replaceAll('\n', ' '), parsed.error);
  return parsed.data;
}
