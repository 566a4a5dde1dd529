import type { DuckDBDataChunk } from '@duckdb/node-api';
import { absentTensor } from '../../inference/absentTensor.ts';
import type { ColumnLayout } from '../../inference/columns.ts';
import { allocate, elementWriter, type Tensor } from '../../inference/datatypes.ts';
import type { TensorSpecification } from '../../inference/model.ts';
import type { ModelColumns } from './modelColumns.ts';

/** A value that the model cannot take: its place in the layout, and its row among those of the buffer. */
export interface UnfitValue {
  readonly place: number;
  readonly row: number;
}

/** Inputs of a model for a number of rows, filled chunk by chunk. */
export interface FeedBuffer {
  /**
   * Takes rows from row `from` of a chunk on, as many as there is room for, and gives how many. The chunk was read with
   * `ModelColumns.selection`.
   */
  take(chunk: DuckDBDataChunk, from: number): number;
  /** How many it has. */
  readonly rows: number;
  /** The first value that does not fit; null when all do. */
  readonly unfit: UnfitValue | null;
  /** The inputs of the rows that it has. */
  feeds(): readonly Tensor[];
}

/** @param capacity how many rows there is room for. */
export function createFeedBuffer(
  layout: ColumnLayout,
  inputs: readonly TensorSpecification[],
  { sources }: Pick<ModelColumns, 'sources'>,
  capacity: number,
): FeedBuffer {
  const targets = inputs.map((input, index) => {
    const places = layout.places.flatMap((place, number) => (place.input === index ? [number] : []));
    const isAbsent = places.some((place) => sources[place] === null);
    const width = places.length;
    return { input, width, isAbsent, data: allocate(input.datatype, isAbsent ? 0 : capacity * width) };
  });
  let rows = 0;
  let unfit: UnfitValue | null = null;

  const fill = (chunk: DuckDBDataChunk, from: number, count: number, place: number) => {
    const { input: index, offset } = layout.places[place] ?? { input: -1, offset: 0 };
    const target = targets[index];
    if (!target || target.isAbsent) return;
    const { data, width, input } = target;
    const vector = chunk.getColumnVector(place + 1);
    const write = elementWriter(input.datatype, input.nullable);
    for (let row = 0; row < count; row++) {
      const value = vector.getItem(from + row);
      const at = (rows + row) * width + offset;
      // By far the most tensors are of these; missing numbers are NaN.
      if (data instanceof Float32Array || data instanceof Float64Array) {
        data[at] = typeof value === 'number' ? value : Number.NaN;
      } else if (typeof value === 'bigint') {
        data[at] = value;
      } else if (!write(data, at, value)) {
        throw new Error(`The database gave ${String(value)} for a value of ${input.datatype}.`);
      }
    }
  };
  return {
    take(chunk, from) {
      const count = Math.min(capacity - rows, chunk.rowCount - from);
      const flags = chunk.getColumnVector(0);
      for (let row = 0; row < count; row++) {
        const place = flags.getItem(from + row);
        if (place === null) continue;
        unfit = { place: Number(place), row: rows + row };
        return 0;
      }
      for (let place = 0; place < layout.places.length; place++) fill(chunk, from, count, place);
      rows += count;
      return count;
    },
    get rows() {
      return rows;
    },
    get unfit() {
      return unfit;
    },
    feeds: () =>
      targets.map(({ input, width, isAbsent, data }) =>
        isAbsent
          ? absentTensor(input, rows)
          : {
              datatype: input.datatype,
              shape: input.shape?.length === 1 ? [rows] : [rows, width],
              data: rows === capacity ? data : data.slice(0, rows * width),
            },
      ),
  };
}
