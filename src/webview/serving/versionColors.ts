import type { Theme } from '../components/theme.ts';

/** The colour that a version has everywhere, in the side bar, too. */
export function versionColor(theme: Theme, version: number): string {
  return theme.versions[(version - 1) % theme.versions.length] ?? theme.current;
}

/** "v7", with its model where that is not the endpoint's own. */
export function versionName(
  variant: { readonly model: string; readonly version: number },
  model: string,
): string {
  return variant.model === model ? `v${variant.version}` : `${variant.model} v${variant.version}`;
}
