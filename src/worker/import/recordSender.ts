import type { ImportRecord } from '../../protocol/importing.ts';
import type { WorkerMessage } from '../../protocol/worker.ts';

/** Sends records to the engine in batches, and no faster than it takes them. */
export interface RecordSender {
  /** Adds a record to the batch; resolves at once unless the engine is behind. */
  send(record: ImportRecord): Promise<void>;
  /** Sends what is left and waits until the engine has taken everything. */
  flush(): Promise<void>;
  /** To be called when the engine says that it took a batch. */
  taken(): void;
}

/** A batch is sent at this weight; a metric point weighs 1, every other record as much as it costs to write. */
const batchWeight = 5000;
const recordWeight = 50;
/** Bytes that weigh 1, so that files that come with their record do not fill the memory. */
const contentBytes = 1000;
/** While the engine writes one batch, the next can be read. */
const mostUnderWay = 2;

export function createRecordSender(tell: (message: WorkerMessage) => void): RecordSender {
  let batch: ImportRecord[] = [];
  let weight = 0;
  let underWay = 0;
  let wake: (() => void) | null = null;

  const post = () => {
    if (batch.length === 0) return;
    tell({ type: 'records', records: batch });
    underWay += 1;
    batch = [];
    weight = 0;
  };
  const until = async (most: number): Promise<void> => {
    while (underWay > most) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };

  return {
    async send(record) {
      batch.push(record);
      weight += recordWeight + contentWeightOf(record);
      if (weight < batchWeight) return;
      post();
      await until(mostUnderWay - 1);
    },
    async flush() {
      post();
      await until(0);
    },
    taken() {
      underWay -= 1;
      wake?.();
    },
  };
}

function contentWeightOf(record: ImportRecord): number {
  if (record.type === 'points') return record.steps.length;
  return record.type === 'artifactContent' ? record.content.length / contentBytes : 0;
}
