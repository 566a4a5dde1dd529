import { csvReader } from './csv/reader.ts';
import { dvcReader } from './dvc/reader.ts';
import { mlflowDatabaseReader } from './mlflowDatabase.ts';
import { mlrunsReader } from './mlruns.ts';
import type { ImportReader } from './reader.ts';
import { tensorboardReader } from './tensorboard/reader.ts';
import { wandbReader } from './wandb/reader.ts';

/** Every reader, in the order in which a path is offered to them. One line for each. */
export const readers: readonly ImportReader[] = [
  mlrunsReader,
  mlflowDatabaseReader,
  csvReader,
  tensorboardReader,
  wandbReader,
  dvcReader,
];
