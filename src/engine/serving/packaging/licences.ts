import type { PackageParts, ThirdParty } from '../../../protocol/packageParts.ts';

/** The licences of Slipway and of all that is inside of a package: text by file name. */
export function licenceFiles({ slipway, packages }: PackageParts): ReadonlyMap<string, string> {
  return new Map(
    [slipway, ...packages].map((part) => [
      `${`${part.name}-${part.version}`.replaceAll('/', '-').replaceAll('@', '')}.txt`,
      part.licenseText ?? withoutText(part),
    ]),
  );
}

/** Holders of packages whose npm package has no text of its licence in it, as their repositories name them. */
const holders: Readonly<Record<string, string>> = {
  'onnxruntime-node': 'Microsoft Corporation',
  'onnxruntime-common': 'Microsoft Corporation',
};

function withoutText({ name, license }: ThirdParty): string {
  const holder = holders[name];
  if (license === 'MIT' && holder !== undefined) return mitLicence(holder);
  return `${name} is published under ${license}. Its npm package holds no text of that licence.\n`;
}

function mitLicence(holder: string): string {
  return `MIT License

Copyright (c) ${holder}

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`;
}
