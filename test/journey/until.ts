const patienceMilliseconds = 60_000;

/**
 * Reads again and again until there is something.
 *
 * @param what said when it does not come: a test that hangs would leave its editor behind.
 */
export async function until<Value>(
  what: string,
  read: () => Promise<Value | null | undefined | false> | Value | null | undefined | false,
): Promise<Value> {
  const deadline = performance.now() + patienceMilliseconds;
  while (performance.now() < deadline) {
    const value = await read();
    if (value !== null && value !== undefined && value !== false) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Waited in vain: ${what}.`);
}
