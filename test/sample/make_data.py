"""Makes media/sample/data/train.csv and later.csv out of flights-3m.parquet of the npm package vega-datasets.

    npm pack vega-datasets@3.2.1 && tar xf vega-datasets-3.2.1.tgz
    python test/sample/make_data.py package/data/flights-3m.parquet media/sample/data

Needs pandas, pyarrow and scipy. Prints how far each column moves between the two files.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import chi2_contingency, ks_2samp

BUSIEST_AIRPORTS = 15
TRAINING_PERIOD = ("2001-04-16", "2001-05-14")
LATER_PERIOD = ("2001-06-04", "2001-06-25")
TRAINING_ROWS = 7000
LATER_ROWS = 4500
LATE_MINUTES = 15
COLUMNS = [
    "date",
    "origin",
    "hour",
    "weekday",
    "distance",
    "departures",
    "recent_delay",
    "day_delay",
    "week_delay",
    "late",
]


def flights_of_the_busiest_airports(file: Path) -> pd.DataFrame:
    flights = pd.read_parquet(file)
    busiest = flights["origin"].value_counts().head(BUSIEST_AIRPORTS).index
    flights = flights[flights["origin"].isin(busiest)].sort_values("date", kind="stable")
    return flights.reset_index(drop=True)


def with_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Adds what could be known when the aircraft left the gate.

    Dates are local times of the origin airport. Every delay feature looks only at flights from the same airport,
    so one clock is enough, and only at those that had landed: a delay on arrival is not known before.
    """
    # Landing times are not in the data. This guess is late rather than early: the delay may have come before the start.
    slow_flight = 35 + flights["distance"] / 7.5
    flights = flights.assign(
        date=flights["date"].astype("datetime64[ns]"),
        hour=(flights["date"].dt.hour + flights["date"].dt.minute / 60).round(2),
        weekday=flights["date"].dt.day_of_week + 1,
        late=(flights["delay"] >= LATE_MINUTES).astype(int),
        landed=flights["date"] + pd.to_timedelta((slow_flight + flights["delay"].clip(lower=0)).round(), unit="min"),
    )
    # A handful of records are off by a day or so, which no passenger would call a delay.
    flights["landed"] = flights["landed"].astype("datetime64[ns]")
    landings = flights[flights["delay"].between(-120, 720)].sort_values("landed", kind="stable")

    of_each_airport = []
    for origin, own in flights.groupby("origin"):
        landed = landings[landings["origin"] == origin].set_index("landed")["delay"]
        known = pd.DataFrame(
            {
                "recent_delay": landed.rolling(20).mean(),
                "day_delay": landed.rolling("24h").mean(),
                "week_delay": landed.rolling("7D").mean(),
            }
        ).round(1)
        own = pd.merge_asof(own, known, left_on="date", right_index=True, allow_exact_matches=False)
        departures = own.set_index("date")["delay"].rolling("1h", closed="left").count()
        of_each_airport.append(own.assign(departures=departures.fillna(0).astype(int).to_numpy()))
    return pd.concat(of_each_airport).sort_values("date", kind="stable").reset_index(drop=True)


def sample(flights: pd.DataFrame, period: tuple[str, str], rows: int) -> pd.DataFrame:
    start, end = period
    chosen = flights[(flights["date"] >= start) & (flights["date"] < end)].dropna()
    chosen = chosen.sample(rows, random_state=2001).sort_values("date", kind="stable")
    return chosen.assign(date=chosen["date"].dt.strftime("%Y-%m-%d %H:%M"))[COLUMNS]


def population_stability_index(reference: pd.Series, current: pd.Series) -> float:
    if reference.dtype.kind in "OUT":
        levels = pd.concat([reference, current]).unique()
        shares = [column.value_counts(normalize=True).reindex(levels, fill_value=0) for column in (reference, current)]
    else:
        edges = np.unique(np.quantile(reference, np.linspace(0, 1, 11)[1:-1]))
        shares = [
            np.bincount(np.searchsorted(edges, column, "right"), minlength=len(edges) + 1) / len(column)
            for column in (reference, current)
        ]
    before, after = (np.asarray(share, dtype=float) + 1e-4 for share in shares)
    return float(((before - after) * np.log(before / after)).sum())


def print_drift(train: pd.DataFrame, later: pd.DataFrame) -> None:
    for name in COLUMNS[1:]:
        psi = population_stability_index(train[name], later[name])
        if name == "origin":
            p = chi2_contingency(pd.crosstab([0] * len(train) + [1] * len(later), pd.concat([train[name], later[name]])))
            print(f"{name:13s} PSI {psi:.3f}  chi-square {p.statistic:.1f} p {p.pvalue:.2g}")
        else:
            test = ks_2samp(train[name], later[name])
            means = f"mean {train[name].mean():8.2f} -> {later[name].mean():8.2f}"
            print(f"{name:13s} PSI {psi:.3f}  KS {test.statistic:.3f} p {test.pvalue:.2g}  {means}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("flights", type=Path, help="flights-3m.parquet of vega-datasets")
    parser.add_argument("folder", type=Path, help="where train.csv and later.csv go")
    arguments = parser.parse_args()

    flights = with_features(flights_of_the_busiest_airports(arguments.flights))
    train = sample(flights, TRAINING_PERIOD, TRAINING_ROWS)
    later = sample(flights, LATER_PERIOD, LATER_ROWS)
    train.to_csv(arguments.folder / "train.csv", index=False, lineterminator="\n")
    later.to_csv(arguments.folder / "later.csv", index=False, lineterminator="\n")
    print_drift(train, later)


if __name__ == "__main__":
    main()
