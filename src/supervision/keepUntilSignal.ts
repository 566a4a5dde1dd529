import type { Fleet } from './scorerFleet.ts';

/**
 * Starts a fleet and keeps it until SIGINT or SIGTERM, which may come while it starts.
 *
 * @param ready is told unless a signal came before.
 * @throws SlipwayError why it did not start, or ended unasked.
 */
export async function keepUntilSignal(
  start: () => Promise<Fleet>,
  ready: (fleet: Fleet) => void,
): Promise<void> {
  let fleet: Fleet | null = null;
  let asked = false;
  const end = () => {
    asked = true;
    void fleet?.drain();
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  try {
    fleet = await start();
    if (asked) void fleet.drain();
    else ready(fleet);
    const failure = await fleet.ended;
    if (failure !== null) throw failure;
  } finally {
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
  }
}
