"""Models as the libraries know them that made them, outside of MLflow's wrapping."""

import importlib

import numpy as np
import pandas as pd


class NativeModel:
    """A model with the columns that it takes, in order."""

    def __init__(self, flavor, model, columns, example):
        """`columns` are tuples of a name and the name of its type in MLflow."""
        self.flavor = flavor
        self.model = model
        self.columns = columns
        self._example = example

    @property
    def is_booster(self):
        """The learned trees of XGBoost or LightGBM without the interface of scikit-learn."""
        return self.flavor != "sklearn" and not hasattr(self.model, "get_params")

    def example(self):
        """The rows that were logged with the model, as a table of its columns; None when there are none."""
        return None if self._example is None else self._example.copy()

    def predict(self, frame):
        """What the model answers for the rows of a table: labels or values, and probabilities where it has some."""
        rows = self._rows(frame)
        if self.is_booster:
            return np.asarray(self.model.predict(self._booster_rows(frame))), None
        # Converters write other scores than probabilities in forms of their own, which say nothing beside these.
        scores = np.asarray(self.model.predict_proba(rows)) if hasattr(self.model, "predict_proba") else None
        return np.asarray(self.model.predict(rows)), scores

    def by_output(self, answers, count):
        """Answers in the order of the outputs of the ONNX model, None where there is nothing to compare with."""
        first, scores = answers
        if self.is_booster and count > 1:
            scores = np.stack([1 - first, first], axis=1) if first.ndim == 1 else first
            first = scores.argmax(axis=1)
        if count == 1:
            return [first.reshape(len(first), -1)]
        return [_labels(first), scores] + [None] * (count - 2)

    def _rows(self, frame):
        named = getattr(self.model, "feature_names_in_", None) is not None or self.flavor != "sklearn"
        return frame if named or takes_columns(self.model) else frame.to_numpy()

    def _booster_rows(self, frame):
        if self.flavor != "xgboost":
            return frame
        import xgboost

        names = self.model.feature_names
        return xgboost.DMatrix(frame if names is None else frame[names])


def _labels(values):
    values = values.reshape(len(values)) if values.ndim == 2 and values.shape[1] == 1 else values
    return values.astype(object) if values.dtype.kind in "US" else values


def takes_columns(model):
    """Whether a pipeline begins by taking columns by their names."""
    return bool(getattr(model, "steps", None)) and hasattr(model.steps[0][1], "transformers")


def load_native(flavor, folder, metadata):
    """Loads a model without MLflow's wrapping. Raises ValueError when its columns are not known."""
    model = importlib.import_module("mlflow." + flavor).load_model(folder)
    example = metadata.load_input_example(folder) if metadata.saved_input_example_info else None
    columns = _columns(model, metadata, example)
    if isinstance(example, pd.DataFrame):
        frame = example.reindex(columns=[name for name, _ in columns])
    elif isinstance(example, np.ndarray) and example.ndim == 2:
        frame = pd.DataFrame(example, columns=[name for name, _ in columns])
    else:
        frame = None
    return NativeModel(flavor, model, columns, None if frame is None else typed(frame, columns))


_dtypes = {"boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64"}


def typed(frame, columns):
    """The columns of a table, with the types that the model's signature gives them."""
    types = {name: _dtypes[kind] for name, kind in columns if kind in _dtypes}
    return frame[[name for name, _ in columns]].astype(types)


def _columns(model, metadata, example):
    schema = metadata.get_input_schema()
    if schema is not None and not schema.is_tensor_spec():
        return [
            (item.name if item.name is not None else str(place), getattr(item.type, "name", str(item.type)))
            for place, item in enumerate(schema.inputs)
        ]
    if isinstance(example, pd.DataFrame):
        return [(str(name), _kind(example[name].dtype)) for name in example.columns]
    names = _feature_names(model)
    if names is None and schema is not None and len(schema.inputs) == 1 and len(schema.inputs[0].shape) == 2:
        width = schema.inputs[0].shape[1]
        names = ["column {}".format(place) for place in range(width)] if width > 0 else None
    if names is None:
        raise ValueError("it has neither a signature nor an input example, so its columns are not known")
    return [(name, "double") for name in names]


def _kind(dtype):
    if dtype.kind == "b":
        return "boolean"
    return "double" if dtype.kind in "iuf" else "string"


def _feature_names(model):
    names = getattr(model, "feature_names_in_", None)
    if names is None:
        names = getattr(model, "feature_names", None)
    if names is None and callable(getattr(model, "feature_name", None)):
        names = model.feature_name()
    if names is not None and len(names):
        return [str(name) for name in names]
    count = getattr(model, "n_features_in_", None)
    if count is None and callable(getattr(model, "num_features", None)):
        count = model.num_features()
    return ["column {}".format(place) for place in range(count)] if count else None
