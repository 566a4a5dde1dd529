import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createSupervisor } from '../../../src/engine/serving/supervisor.ts';
import type { Serving } from '../../../src/engine/serving/supervisorTypes.ts';
import { SlipwayError } from '../../../src/protocol/errors.ts';
import type { TrafficSplitInput } from '../../../src/protocol/scorer.ts';
import type { Door, Doors } from '../../../src/supervision/door.ts';
import type { ScorerOrder, ScorerProcess, ScorerReady } from '../../../src/supervision/scorerProcess.ts';

/** A scorer that does what a test says, so that every order of events can be brought about. */
export interface ScriptedScorer {
  readonly serving: Serving;
  readonly doors: Doors;
  readonly process: ScorerProcess;
  /** What it was told, in order. */
  readonly orders: ScorerOrder[];
  /** Connections that were handed to it, and at which door they came. */
  readonly taken: { readonly connection: Socket; readonly door: Door }[];
  /** Whether it refuses an order. */
  refuses: (order: ScorerOrder) => boolean;
  /** Is waited for before an order is answered. */
  pause: (order: ScorerOrder) => Promise<void>;
  becomeReady(): void;
  end(detail: string): void;
}

/** The supervisor of an endpoint "wine" whose scorers a test plays; `ready` lets them become ready by themselves. */
export function scriptedSupervisor({ ready = true } = {}) {
  const scorers: ScriptedScorer[] = [];
  const settings = { ready };
  let changes = 0;
  const supervisor = createSupervisor({
    endpoint: 'wine',
    host: '127.0.0.1',
    lastPort: () => null,
    launch(serving, doors) {
      const scorer = script(serving, doors);
      scorers.push(scorer);
      if (settings.ready) scorer.becomeReady();
      return scorer.process;
    },
    changed: () => {
      changes += 1;
    },
    log: () => undefined,
  });
  return {
    supervisor,
    scorers,
    settings,
    changes: () => changes,
    /** The scorer that is launched as the one of this number. */
    async launched(number: number): Promise<ScriptedScorer> {
      for (;;) {
        const scorer = scorers[number - 1];
        if (scorer) return scorer;
        await delay(2);
      }
    },
  };
}

function script(serving: Serving, doors: Doors): ScriptedScorer {
  const ready = Promise.withResolvers<ScorerReady>();
  const ended = Promise.withResolvers<string>();
  let isOver = false;
  const scorer: ScriptedScorer = {
    serving,
    doors,
    orders: [],
    taken: [],
    refuses: () => false,
    pause: async () => undefined,
    becomeReady() {
      const versions = serving.models.map(({ name, version }) => served(name, version));
      ready.resolve({ type: 'ready', port: doors.http.port, grpcPort: doors.grpc?.port ?? null, versions });
    },
    end(detail) {
      isOver = true;
      ready.reject(gone(detail));
      ended.resolve(detail);
    },
    process: {
      processId: 1,
      ready: ready.promise,
      ended: ended.promise,
      async order(order) {
        if (isOver) throw gone('its process has ended');
        scorer.orders.push(order);
        const end = ended.promise.then((detail) => Promise.reject(gone(detail)));
        end.catch(() => undefined);
        await Promise.race([scorer.pause(order), end]);
        if (scorer.refuses(order)) throw new SlipwayError('notFound', { detail: 'It refuses.' });
        return order.type === 'load' ? served(order.model.name, order.model.version) : null;
      },
      reading: async () => ({ families: [], versions: [] }),
      take: (connection, door) => void scorer.taken.push({ connection, door }),
      async drain() {
        scorer.end('it was drained');
        // What it did not come to take goes back, as a process does it.
        for (const { connection, door } of scorer.taken.splice(0)) {
          setImmediate(() => door.receive(connection));
        }
        await ended.promise;
      },
    },
  };
  ready.promise.catch(() => undefined);
  return scorer;
}

function gone(detail: string): SlipwayError {
  return new SlipwayError('endpointFailed', { endpoint: 'wine', detail });
}

function served(name: string, version: number) {
  return { name, version, inputs: [], outputs: [], exampleRequest: '', facts: [], warnings: [] };
}

export function modelOf(version: number) {
  return { name: 'wine', version, source: { type: 'onnx' as const, file: `/${version}.onnx` } };
}

/** All requests to one version. */
export function splitTo(version: number): TrafficSplitInput {
  return { model: 'wine', salt: 's', variants: [{ name: 'stable', version, share: 1 }] };
}

export function servingOf(versions: readonly number[], processes = 1): Serving {
  return {
    models: versions.map(modelOf),
    traffic: [splitTo(versions[0] ?? 1)],
    processes,
    grpcPort: null,
    options: { inferenceLog: null },
  };
}

/** Whether the other side of a connection ends it within a moment. */
export async function isEnded(connection: Socket): Promise<boolean> {
  const closed = new Promise<boolean>((resolve) => connection.once('close', () => resolve(true)));
  return await Promise.race([closed, delay(500, false)]);
}
