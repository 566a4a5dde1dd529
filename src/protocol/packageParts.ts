import { z } from 'zod';

const thirdParty = z.object({
  name: z.string().min(1),
  version: z.string().min(1),
  /** An SPDX expression, such as `MIT`. */
  license: z.string().min(1),
  /** The text of its licence; null where its npm package holds none. */
  licenseText: z.string().nullable(),
});
export type ThirdParty = z.infer<typeof thirdParty>;

/** What the build says of the bundles that a packaged model takes along, in `packageParts.json` beside them. */
export const packageParts = z.object({
  slipway: thirdParty,
  /** The packages inside of each bundle, as `name@version`, by the bundle's file name. */
  bundles: z.record(z.string(), z.array(z.string())),
  /** Every package that is inside of a bundle, or lies beside them with its native code. */
  packages: z.array(thirdParty),
});
export type PackageParts = z.infer<typeof packageParts>;

/** Its file name. */
export const packagePartsFile = 'packageParts.json';
