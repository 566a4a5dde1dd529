import type { ErrorData } from '../../protocol/errors.ts';
import type {
  ScorerModelInput,
  ScorerOptionsInput,
  ServedVersion,
  TrafficSplitInput,
} from '../../protocol/scorer.ts';
import type { EndpointState } from '../../protocol/serving.ts';
import type { Doors } from '../../supervision/door.ts';
import type { ScorerListener, ScorerProcess } from '../../supervision/scorerProcess.ts';
import type { CrashedRun } from './crashedRuns.ts';
import type { EndpointStatistics } from './endpointStatistics.ts';
import type { LiveSeries } from './liveSeries.ts';

/** What an endpoint serves, and how. */
export interface Serving {
  /** Every version that is loaded; the first one's model is the endpoint's own. */
  readonly models: readonly ScorerModelInput[];
  readonly traffic: readonly TrafficSplitInput[];
  /** Scorers that share the ports. */
  readonly processes: number;
  /** For gRPC: 0 takes the one that it has, else any; null answers none. */
  readonly grpcPort: number | null;
  /** What each process is told besides. */
  readonly options: Pick<ScorerOptionsInput, 'hosts' | 'runtime' | 'limits' | 'inferenceLog'>;
}

/** How the processes of an endpoint are. */
export interface SupervisorStatus {
  readonly state: EndpointState;
  /** Null unless ready. */
  readonly port: number | null;
  readonly grpcPort: number | null;
  /** UTC milliseconds; null when it never was ready. */
  readonly readySince: number | null;
  /** Why it failed; null unless failed. */
  readonly failure: ErrorData | null;
  /** Ends of processes that nobody asked for. */
  readonly crashCount: number;
  /** Those of them that came while a version was known to run, by version. */
  readonly crashedRuns: readonly CrashedRun[];
}

/** Keeps the scorers of one endpoint in the state that was asked for, and starts them again after a crash. */
export interface Supervisor {
  status(): SupervisorStatus;
  /** What is served; null while nothing is. */
  serving(): Serving | null;
  /** Every version that is loaded, as the scorers describe it; none unless ready. */
  versions(): readonly ServedVersion[];
  statistics(): EndpointStatistics;
  readonly live: LiveSeries;
  /**
   * Serves in place of what was served. Where it runs already, new processes take over when they are ready, and the
   * old ones answer what they have accepted. `port` null takes the port that it has, else the one it had when that is
   * free, else any.
   *
   * @throws SlipwayError what went wrong; what was served before goes on. `cancelled` when it was stopped meanwhile.
   */
  start(serving: Serving, port: number | null): Promise<void>;
  /** Loads a version beside the others. @throws SlipwayError `endpointNotReady`, `modelUnreadable`, ... */
  load(model: ScorerModelInput): Promise<ServedVersion>;
  /** Forgets a version. @throws SlipwayError `endpointNotReady`, or why the scorers refuse. */
  unload(name: string, version: number): Promise<void>;
  /** Leads the traffic of a model, at once. @throws SlipwayError `endpointNotReady`, or why the scorers refuse. */
  route(traffic: TrafficSplitInput): Promise<void>;
  /** Sets the labels of a version. */
  label(name: string, version: number, labels: readonly string[]): Promise<void>;
  /** Has the inference log keep another share of the requests. */
  keepShare(share: number): Promise<void>;
  /** Serves a further host name, by all processes of now and later, as long as the engine runs. */
  serveHost(host: string): Promise<void>;
  /** Notes why it cannot be started. */
  fail(error: unknown): void;
  /** Ends the scorers. */
  stop(): Promise<void>;
}

export interface SupervisorDependencies {
  readonly endpoint: string;
  readonly host: string;
  /** The port that it had last; null when it never was ready. */
  readonly lastPort: () => number | null;
  /** Starts a scorer behind the doors. */
  readonly launch: (serving: Serving, doors: Doors, listener: ScorerListener) => ScorerProcess;
  readonly changed: () => void;
  readonly log: (level: 'info' | 'warning' | 'error', message: string) => void;
}
