import type { ScorerProcess } from '../../supervision/scorerProcess.ts';
import { hasEnded } from './scorerOrders.ts';
import type { Serving } from './supervisorTypes.ts';

/** The host names that were named while the engine runs, and who serves them. */
export interface NamedHosts {
  all(): readonly string[];
  /** What is served, with these host names beside those of the settings. */
  added(serving: Serving, hosts: readonly string[]): Serving;
  /** Has every scorer serve one, those that are started later too. */
  serve(host: string): Promise<void>;
  /** Tells a scorer that is ready what was named since it was started with these; it is told all others, too. */
  tell(scorer: ScorerProcess, startedWith: readonly string[]): Promise<void>;
}

export function createNamedHosts(): NamedHosts {
  const named = new Set<string>();
  /** Those that obey: also while they wait for others of their endpoint, or answer what they took. */
  const scorers = new Set<ScorerProcess>();

  /** One that ended meanwhile is followed by one that knows. */
  const order = (scorer: ScorerProcess, host: string) =>
    scorer.order({ type: 'host', host }).catch((error: unknown) => {
      if (!hasEnded(error)) throw error;
    });
  return {
    all: () => [...named],
    added(serving, hosts) {
      if (hosts.length === 0) return serving;
      const { options } = serving;
      return { ...serving, options: { ...options, hosts: [...(options.hosts ?? []), ...hosts] } };
    },
    async serve(host) {
      named.add(host);
      await Promise.all([...scorers].map((scorer) => order(scorer, host)));
    },
    async tell(scorer, startedWith) {
      scorers.add(scorer);
      void scorer.ended.then(() => scorers.delete(scorer));
      const since = [...named].filter((host) => !startedWith.includes(host));
      await Promise.all(since.map((host) => order(scorer, host)));
    },
  };
}
