"""Sends the flights of June to an endpoint, as if they departed now, and says how often it was right.

    python replay.py
    python replay.py --url http://127.0.0.1:8080 --rows 500

Needs nothing but Python. Without --url it takes the endpoint that runs in this folder. The token comes from the environment
(MLFLOW_TRACKING_TOKEN), which Slipway sets in the terminals of the editor.
"""

import argparse
import csv
import json
import os
import sqlite3
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

STORE = Path(".slipway/store.db")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="address of the endpoint")
    parser.add_argument("--model", default="flight-delays", help="name of the served model")
    parser.add_argument("--rows", type=int, help="send no more than this many flights")
    parser.add_argument("--batch", type=int, default=25, help="flights in one request")
    parser.add_argument("--file", default="data/later.csv")
    return parser.parse_args()


def address_of(model: str) -> str:
    """Reads from the store of this folder where the endpoint of a model listens."""
    if not STORE.exists():
        raise SystemExit(f"There is no {STORE} here. Say with --url where the endpoint is.")
    store = sqlite3.connect(f"{STORE.absolute().as_uri()}?mode=ro", uri=True)
    try:
        found = store.execute(
            "SELECT port FROM endpoints WHERE model_name = ? AND enabled AND port IS NOT NULL", (model,)
        ).fetchone()
    finally:
        store.close()
    if found is None:
        raise SystemExit(f'No endpoint serves "{model}" in this folder. Start one, or say with --url where it is.')
    return f"http://127.0.0.1:{found[0]}"


def ask(url: str, body: object = None) -> dict:
    """Sends a GET, or a POST when there is a body, and gives the JSON of the answer."""
    request = urllib.request.Request(url, data=None if body is None else json.dumps(body).encode())
    request.add_header("Content-Type", "application/json")
    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{url} answered {error.code}: {error.read().decode(errors='replace')}")
    except urllib.error.URLError as error:
        raise SystemExit(f"{url} cannot be reached: {error.reason}")


def tensor(description: dict, flights: list[dict]) -> dict:
    """One input of the model: the column of that name, as the Open Inference Protocol writes it."""
    column = [flight[description["name"]] for flight in flights]
    return {
        "name": description["name"],
        "datatype": description["datatype"],
        "shape": [len(flights), 1],
        "data": column if description["datatype"] == "BYTES" else [float(value) for value in column],
    }


def labels(answer: dict) -> list[int]:
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    return [int(label) for label in outputs["output_label"]]


def main() -> None:
    options = arguments()
    model = f"{(options.url or address_of(options.model)).rstrip('/')}/v2/models/{urllib.parse.quote(options.model, safe='')}"
    inputs = ask(model)["inputs"]
    with open(options.file, newline="") as file:
        flights = list(csv.DictReader(file))[: options.rows]

    right = warned = late = sent = 0
    next_report = report_each = max(len(flights) // 10, 1)
    for start in range(0, len(flights), options.batch):
        batch = flights[start : start + options.batch]
        answer = ask(f"{model}/infer", {"inputs": [tensor(description, batch) for description in inputs]})
        for flight, label in zip(batch, labels(answer), strict=True):
            right += label == int(flight["late"])
            warned += label
            late += int(flight["late"])
        sent += len(batch)
        if sent >= next_report or sent == len(flights):
            next_report += report_each
            print(f"{batch[-1]['date']}  {sent:5d} of {len(flights)} sent, {right / sent:.1%} right", flush=True)

    if sent == 0:
        sys.exit(f"{options.file} has no rows.")
    print(f"Hit rate {right / sent:.1%}: it gave a warning for {warned / sent:.1%} of the flights, {late / sent:.1%} were late.")


if __name__ == "__main__":
    main()
