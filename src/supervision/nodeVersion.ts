/** The first release of Node.js that Slipway's native modules load in; older ones end with a segmentation fault. */
const oldestMajor = 22;

/**
 * What to tell somebody whose Node.js is too old for Slipway, or null when it is not.
 *
 * @param version a version of Node.js, such as `22.4.1`.
 */
export function complaintAboutNode(version: string): string | null {
  if (Number.parseInt(version, 10) >= oldestMajor) return null;
  return `It needs Node.js ${oldestMajor} or newer, and this is ${version}.`;
}
