import { SlipwayError } from '../../protocol/errors.ts';
import type { Doors } from '../../supervision/door.ts';
import { type Door, openDoor } from '../../supervision/door.ts';

/** Doors for what is served next. */
export interface RenewedDoors {
  readonly doors: Doors;
  /** Those of them that were not there before: to be closed where nothing comes to answer behind them. */
  readonly opened: readonly Door[];
  /** Those that were there and are not wanted any more. */
  readonly left: readonly Door[];
}

export interface WishedPorts {
  readonly host: string;
  /** Null takes the one that it has, else the last one when that is free, else any. */
  readonly port: number | null;
  readonly lastPort: number | null;
  /** 0 takes the one that it has, else any; null answers none. */
  readonly grpcPort: number | null;
}

/** Keeps the doors that fit and opens those that are missing. @throws SlipwayError `portTaken` and the like. */
export async function renewDoors(old: Doors | null, wished: WishedPorts): Promise<RenewedDoors> {
  const { host, port, lastPort, grpcPort } = wished;
  const keptHttp = fitting(old?.http ?? null, port ?? 0);
  const http = keptHttp ?? (await openHttp(host, port, lastPort));
  try {
    const keptGrpc = grpcPort === null ? null : fitting(old?.grpc ?? null, grpcPort);
    const grpc = keptGrpc ?? (grpcPort === null ? null : await openDoor('grpc', host, grpcPort));
    const now = [http, ...(grpc ? [grpc] : [])];
    const before = old ? [old.http, ...(old.grpc ? [old.grpc] : [])] : [];
    return {
      doors: { http, grpc },
      opened: now.filter((door) => !before.includes(door)),
      left: before.filter((door) => !now.includes(door)),
    };
  } catch (error) {
    if (http !== keptHttp) await http.close();
    throw error;
  }
}

function fitting(door: Door | null, port: number): Door | null {
  return port === 0 || door?.port === port ? door : null;
}

async function openHttp(host: string, port: number | null, lastPort: number | null): Promise<Door> {
  const preferred = port ?? lastPort ?? 0;
  try {
    return await openDoor('http', host, preferred);
  } catch (error) {
    const taken = error instanceof SlipwayError && error.kind === 'portTaken';
    if (!taken || port !== null || preferred === 0) throw error;
    return openDoor('http', host, 0);
  }
}
