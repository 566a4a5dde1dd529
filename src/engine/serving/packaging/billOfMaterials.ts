import { createHash } from 'node:crypto';
import { packageFiles } from '../../../protocol/packagedModel.ts';
import type { PackageParts, ThirdParty } from '../../../protocol/packageParts.ts';

export interface BillSubject {
  readonly model: string;
  readonly version: number;
  readonly parts: PackageParts;
  /** SHA-256 of every file of the package, by its path. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * The bill of materials of a package: CycloneDX 1.6 in JSON (ECMA-424). It names Slipway, the packages that are inside
 * of its bundles or beside them, and the model, each with the digests of its files. The same package has the same
 * bill: there is no time in it, and its serial number is made of the digests.
 */
export function billOfMaterials({ model, version, parts, digests }: BillSubject): string {
  const { slipway } = parts;
  const root = `package:${model}@${version}`;
  const native = (name: string) => filesBelow(digests, `node_modules/${name}/`);
  const libraries = parts.packages.map((library) => ({
    type: 'library',
    'bom-ref': reference(library),
    ...describe(library),
    ...components(native(library.name)),
  }));
  const ownFiles = [...digests].filter(
    ([path]) => !path.startsWith('node_modules/') && !path.startsWith(`${packageFiles.modelFolder}/`),
  );
  const application = {
    type: 'application',
    'bom-ref': reference(slipway),
    ...describe(slipway),
    ...components(ownFiles),
  };
  const machineLearningModel = {
    type: 'machine-learning-model',
    'bom-ref': `model:${model}@${version}`,
    name: model,
    version: String(version),
    ...components(filesBelow(digests, `${packageFiles.modelFolder}/`)),
  };
  const bundled = new Set(Object.values(parts.bundles).flat());
  const direct = parts.packages.filter(
    (library) => bundled.has(`${library.name}@${library.version}`) || native(library.name).length > 0,
  );
  const bill = {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: serialNumber(digests),
    version: 1,
    metadata: {
      tools: { components: [{ type: 'application', name: slipway.name, version: slipway.version }] },
      component: { type: 'application', 'bom-ref': root, name: model, version: String(version) },
    },
    components: [application, ...libraries, machineLearningModel],
    dependencies: [
      { ref: root, dependsOn: [application['bom-ref'], machineLearningModel['bom-ref']] },
      { ref: application['bom-ref'], dependsOn: direct.map(reference) },
      { ref: machineLearningModel['bom-ref'] },
      ...direct.map((library) => ({ ref: reference(library) })),
    ],
  };
  return `${JSON.stringify(bill, null, 2)}\n`;
}

/** A package URL (purl), by which scanners of vulnerabilities know a package. */
function reference({ name, version }: ThirdParty): string {
  return `pkg:npm/${name.split('/').map(encodeURIComponent).join('/')}@${version}`;
}

function describe(library: ThirdParty) {
  return {
    name: library.name,
    version: library.version,
    purl: reference(library),
    licenses:
      library.license === 'NOASSERTION'
        ? [{ license: { name: 'unknown' } }]
        : [{ expression: library.license }],
  };
}

function filesBelow(digests: ReadonlyMap<string, string>, folder: string) {
  return [...digests].filter(([path]) => path.startsWith(folder));
}

function components(files: readonly (readonly [path: string, digest: string])[]) {
  if (files.length === 0) return {};
  return {
    components: files.map(([path, content]) => ({
      type: 'file',
      name: path,
      hashes: [{ alg: 'SHA-256', content }],
    })),
  };
}

/** A UUID (version 8 of RFC 9562: made of whatever its maker likes) of all digests. */
function serialNumber(digests: ReadonlyMap<string, string>): string {
  const hash = createHash('sha256');
  for (const [path, digest] of digests) hash.update(`${digest} ${path}\n`);
  const hex = hash.digest('hex');
  const variant = '89ab'[Number.parseInt(hex.slice(16, 17), 16) % 4];
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
