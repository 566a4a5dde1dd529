"""Trains a model that says, as an aircraft leaves the gate, whether it will arrive 15 minutes late or more.

    python train.py
    python train.py --model forest --max-depth 8
    python train.py --model logistic --epochs 100

The address of the tracking server comes from the environment (MLFLOW_TRACKING_URI), as usual with mlflow.
"""

import argparse
import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import mlflow
import numpy as np
import pandas as pd
from mlflow.models import infer_signature
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    accuracy_score,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.class_weight import compute_sample_weight

CATEGORIES = ["origin"]
NUMBERS = ["hour", "weekday", "distance", "departures", "recent_delay", "day_delay", "week_delay"]
FEATURES = CATEGORIES + NUMBERS
TARGET = "late"

LEARNING_RATES = {"boosting": 0.03, "logistic": 0.0005}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["boosting", "forest", "logistic"], default="boosting")
    parser.add_argument("--epochs", type=int, default=200, help="trees to grow, or passes over the data")
    parser.add_argument("--learning-rate", type=float, help="of boosting and logistic")
    parser.add_argument("--max-depth", type=int, default=3, help="of a tree")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--run-name")
    parser.add_argument("--data", default="data/train.csv")
    parser.add_argument("--quick", action="store_true", help="a small training, to see that all of it works")
    options = parser.parse_args()
    if options.quick:
        options.epochs = min(options.epochs, 15)
    if options.learning_rate is None:
        options.learning_rate = LEARNING_RATES.get(options.model)
    return options


def load(file: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """All flights, those to learn from, and the latest quarter of them, on which the model is judged."""
    flights = pd.read_csv(file)
    flights[NUMBERS] = flights[NUMBERS].astype("float32")
    cut = len(flights) * 3 // 4
    return flights, flights[:cut], flights[cut:]


def training(options: argparse.Namespace, x, y, weight) -> Iterator:
    """Yields the model after each epoch: with one more tree, or after one more pass over the data."""
    if options.model == "logistic":
        model = SGDClassifier(
            loss="log_loss", learning_rate="constant", eta0=options.learning_rate, random_state=options.seed
        )
        for _ in range(options.epochs):
            yield model.partial_fit(x, y, classes=[0, 1], sample_weight=weight)
        return

    if options.model == "boosting":
        model = GradientBoostingClassifier(
            learning_rate=options.learning_rate,
            max_depth=options.max_depth,
            subsample=0.5,
            warm_start=True,
            random_state=options.seed,
        )
    else:
        model = RandomForestClassifier(max_depth=options.max_depth, warm_start=True, random_state=options.seed)
    for trees in range(1, options.epochs + 1):
        yield model.set_params(n_estimators=trees).fit(x, y, sample_weight=weight)


def train(options: argparse.Namespace, learn: pd.DataFrame, judge: pd.DataFrame) -> Pipeline:
    """Trains, logs the curves while doing so, and gives the model of the best epoch."""
    columns = ColumnTransformer(
        [
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), CATEGORIES),
            ("numbers", StandardScaler(), NUMBERS),
        ]
    )
    x, x_judge = columns.fit_transform(learn[FEATURES]), columns.transform(judge[FEATURES])
    y, y_judge = learn[TARGET], judge[TARGET]
    # Only one flight in six is late. Without weights the model would do best by never giving a warning.
    weight, weight_judge = (compute_sample_weight("balanced", labels) for labels in (y, y_judge))

    best, best_epoch, best_loss = None, 0, np.inf
    for epoch, model in enumerate(training(options, x, y, weight), start=1):
        late, late_judge = model.predict_proba(x)[:, 1], model.predict_proba(x_judge)[:, 1]
        loss = log_loss(y_judge, late_judge, sample_weight=weight_judge)
        mlflow.log_metrics(
            {
                "train_loss": log_loss(y, late, sample_weight=weight),
                "train_auc": roc_auc_score(y, late),
                "val_loss": loss,
                "val_auc": roc_auc_score(y_judge, late_judge),
            },
            step=epoch,
        )
        if loss < best_loss:
            best, best_epoch, best_loss = copy.deepcopy(model), epoch, loss
        if epoch % 25 == 0 or epoch == options.epochs:
            print(f"epoch {epoch:4d} of {options.epochs}: validation loss {loss:.4f} (best {best_loss:.4f})", flush=True)

    mlflow.log_metric("best_epoch", best_epoch)
    return Pipeline([("columns", columns), ("model", best)])


def log_quality(model: Pipeline, judge: pd.DataFrame) -> None:
    truth = judge[TARGET]
    late = model.predict_proba(judge[FEATURES])[:, 1]
    warned = model.predict(judge[FEATURES])
    mlflow.log_metrics(
        {
            "val_accuracy": accuracy_score(truth, warned),
            "val_precision": precision_score(truth, warned, zero_division=0),
            "val_recall": recall_score(truth, warned),
            "val_f1": f1_score(truth, warned),
            "best_val_auc": roc_auc_score(truth, late),
        }
    )

    figure, axes = plt.subplots(figsize=(4, 3.5), layout="constrained")
    ConfusionMatrixDisplay.from_predictions(
        truth,
        warned,
        display_labels=["on time", "late"],
        normalize="true",
        cmap="Blues",
        colorbar=False,
        im_kw={"vmin": 0, "vmax": 1},
        ax=axes,
    )
    axes.set_title("Share of the flights of each row")
    mlflow.log_figure(figure, "confusion_matrix.png", save_kwargs={"dpi": 90})
    plt.close(figure)

    importance = permutation_importance(
        model, judge[FEATURES], truth, scoring="roc_auc", n_repeats=3, random_state=0
    ).importances_mean
    ranking = sorted(zip(FEATURES, importance.round(4).tolist()), key=lambda pair: -pair[1])
    mlflow.log_dict(dict(ranking), "feature_importance.json")


def log_onnx(model: Pipeline, examples: pd.DataFrame) -> None:
    """Logs the model as ONNX, one input a column, so that it can be served without Python."""
    inputs = [(name, StringTensorType([None, 1])) for name in CATEGORIES]
    inputs += [(name, FloatTensorType([None, 1])) for name in NUMBERS]
    # skl2onnx gives the probabilities as one map of label to probability for each row (its default, "ZipMap").
    onnx = to_onnx(model, initial_types=inputs, name="flight-delays")
    example = {name: examples[[name]].to_numpy(dtype=str if name in CATEGORIES else "float32") for name in FEATURES}
    mlflow.onnx.log_model(
        onnx,
        name="model",
        signature=infer_signature(example, {"output_label": model.predict(examples)}),
        input_example=example,
        onnx_execution_providers=["CPUExecutionProvider"],
        pip_requirements=str(Path(__file__).with_name("requirements.txt")),
    )


def main() -> None:
    options = arguments()
    # Hints of mlflow that do not concern this data: that a path may be read in two ways, and that integers cannot be missing.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"mlflow\.")
    flights, learn, judge = load(options.data)
    mlflow.set_experiment("flight-delays")
    with mlflow.start_run(run_name=options.run_name):
        settings = {"learning_rate": options.learning_rate, "max_depth": options.max_depth}
        unused = {"boosting": set(), "forest": {"learning_rate"}, "logistic": {"max_depth"}}[options.model]
        mlflow.log_params({"model": options.model, "epochs": options.epochs, "seed": options.seed})
        mlflow.log_params({name: value for name, value in settings.items() if name not in unused})
        mlflow.log_input(
            mlflow.data.from_pandas(flights, source=options.data, name="flights", targets=TARGET), context="training"
        )
        model = train(options, learn, judge)
        log_quality(model, judge)
        log_onnx(model, judge[FEATURES].head(3))


if __name__ == "__main__":
    main()
