/** A command line that was not understood: told with a hint at `--help`, exit code 2. */
export class UsageError extends Error {}
