/** How often a crashed engine is started again before Slipway gives up and asks. */
export interface RestartBudget {
  /** Takes one restart; false when too many were taken lately. */
  spend(): boolean;
  reset(): void;
}

const most = 3;
const windowMilliseconds = 5 * 60_000;

/** At most three restarts in five minutes. */
export function createRestartBudget(now: () => number = Date.now): RestartBudget {
  let spent: number[] = [];
  return {
    spend() {
      spent = spent.filter((moment) => now() - moment < windowMilliseconds);
      if (spent.length >= most) return false;
      spent.push(now());
      return true;
    },
    reset() {
      spent = [];
    },
  };
}
