/**
 * Keeps what a reading learnt about a growing run for the next reading of the same session, which goes on where the
 * first one stopped. A session is known by its map of offsets, and forgotten with it.
 */
export function createSessionMemory<Learnt>(): SessionMemory<Learnt> {
  const sessions = new WeakMap<object, Map<string, Learnt>>();
  return {
    of(session, key, begin) {
      const memory = sessions.get(session) ?? new Map<string, Learnt>();
      sessions.set(session, memory);
      const learnt = memory.get(key) ?? begin();
      memory.set(key, learnt);
      return learnt;
    },
  };
}

export interface SessionMemory<Learnt> {
  /** What is known of `key`; what `begin` makes when nothing is. */
  of(session: object, key: string, begin: () => Learnt): Learnt;
}
