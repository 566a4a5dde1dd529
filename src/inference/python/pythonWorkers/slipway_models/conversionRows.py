"""Rows of data on which a converted model is compared with the one that it was made of."""

import numpy as np
import pandas as pd

from .nativeModels import typed

_seed = 7


def rows_to_check(native, metadata, folder, dataset, count):
    """
    A list of checks with the keys `source`, `rows`, `frame`, `answers` and `skipped`, which says why there are none:
    the logged example, the run's dataset, and rows that are made up within the ranges that were seen.
    """
    checks = []
    example = native.example()
    if example is not None:
        checks.append(_check(native, "example", lambda: example))
    seen = [example] if example is not None else []
    if dataset is not None:

        def read():
            frame = _read(dataset, native.columns)
            seen.append(frame)
            return frame.sample(min(count, len(frame)), random_state=_seed)

        checks.append(_check(native, "dataset", read))
    observed = pd.concat(seen) if seen else None
    checks.append(_check(native, "generated", lambda: _generated(native.columns, observed, count)))
    return checks


def _check(native, source, rows):
    try:
        frame = rows().reset_index(drop=True)
        if len(frame) == 0:
            raise ValueError("there are no rows")
        return {"source": source, "rows": len(frame), "frame": frame, "answers": native.predict(frame), "skipped": None}
    except Exception as error:
        return {"source": source, "rows": 0, "skipped": " ".join(str(error).split())[:300] or type(error).__name__}


def _read(path, columns):
    if path.lower().endswith((".parquet", ".pq")):
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path)
    missing = [name for name, _ in columns if name not in frame.columns]
    if missing:
        raise ValueError("it has no column {}".format(", ".join(missing)))
    return typed(frame.dropna(subset=[name for name, kind in columns if kind in ("boolean", "integer", "long")]), columns)


def _generated(columns, observed, count):
    random = np.random.default_rng(_seed)
    values = {
        name: _made_up(random, kind, None if observed is None else observed[name].dropna(), count)
        for name, kind in columns
    }
    return typed(pd.DataFrame(values), columns)


def _made_up(random, kind, seen, count):
    if kind == "boolean":
        return random.choice([True, False], count)
    if kind not in ("integer", "long", "float", "double"):
        if seen is None or len(seen) == 0:
            raise ValueError("nothing is known of the texts that its columns take")
        return random.choice(np.array(sorted(set(seen)), dtype=object), count)
    if seen is None or len(seen) == 0:
        values = random.normal(0, 3, count)
    else:
        low, high = float(seen.min()), float(seen.max())
        # One row shows no range.
        spread = max(1.0, abs(low)) if low == high else 0.0
        values = random.uniform(low - spread, high + spread, count)
    return np.round(values) if kind in ("integer", "long") else values
