const patienceMilliseconds = 60_000;

/**
 * Reads again and again until there is something.
 *
 * @param what said when it does not come: a test that hangs would leave its editor behind.
 * @param patience milliseconds.
 */
export async function until<Value>(
  what: string,
  read: () => Promise<Value | null | undefined | false> | Value | null | undefined | false,
  patience = patienceMilliseconds,
): Promise<Value> {
  const deadline = performance.now() + patience;
  while (performance.now() < deadline) {
    const value = await read();
    if (value !== null && value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited in vain: ${what}.`);
}
