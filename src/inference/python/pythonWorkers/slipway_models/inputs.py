"""What a model takes, and how the tensors of a request become that."""

import base64
import json

import numpy as np
import pandas as pd

from .tensors import datatype_of, missing_text

unnamed = "input"
"""The name of the only tensor of a model that does not name it."""

_made_up_time = "2000-01-01T00:00:00"

column_types = {
    "boolean": ("BOOL", "bool"),
    "integer": ("INT32", "int32"),
    "long": ("INT64", "int64"),
    "float": ("FP32", "float32"),
    "double": ("FP64", "float64"),
    "string": ("BYTES", "object"),
    "binary": ("BYTES", "object"),
    "datetime": ("BYTES", "datetime64[ns]"),
}


class Refused(ValueError):
    """The values of a request are none that the model takes."""


class TableInputs:
    """A table: one tensor for each column."""

    def __init__(self, columns):
        """`columns` are tuples of a name, the name of its type in MLflow, and whether it must be there."""
        self._columns = columns
        self.specifications = [
            {
                "name": str(name),
                "datatype": column_types.get(kind, ("BYTES", ""))[0],
                "shape": [-1],
                "optional": not required,
                "nullable": kind not in ("boolean", "integer", "long"),
            }
            for name, kind, required in columns
        ]

    def value(self, arrays):
        """The table, with the types of the signature; columns that were left out are not in it."""
        rows = next((len(array) for array in arrays if array is not None), 0)
        columns = {
            name: _column(name, kind, array)
            for (name, kind, _), array in zip(self._columns, arrays)
            if array is not None
        }
        return pd.DataFrame(columns, index=pd.RangeIndex(rows), copy=False)

    def arrays(self, example):
        """The tensors of an example, None where it has no such column; None when it is no table of these columns."""
        if not isinstance(example, pd.DataFrame):
            return None
        arrays = []
        for name, kind, required in self._columns:
            if name not in example.columns:
                if required:
                    return None
                arrays.append(None)
                continue
            arrays.append(_example_column(kind, example[name]))
        return arrays

    def made_up(self):
        """One row of ones, empty texts and a time."""
        return [
            np.full([1], _made_up_time, dtype=object) if kind == "datetime" else _ones(specification, [1])
            for specification, (_, kind, _) in zip(self.specifications, self._columns)
        ]


class TensorInputs:
    """Tensors by name, or one without a name."""

    def __init__(self, tensors):
        """`tensors` are tuples of a name, which is None of the only one, a numpy type and a shape."""
        self._names = [name for name, _, _ in tensors]
        self._dtypes = [np.dtype(dtype) for _, dtype, _ in tensors]
        self.specifications = [
            {"name": name or unnamed, "datatype": datatype_of(dtype), "shape": list(shape)}
            for name, dtype, shape in tensors
        ]
        for specification in self.specifications:
            if specification["datatype"] is None:
                raise TypeError('No request can hold the type of the input "{name}".'.format(**specification))

    def value(self, arrays):
        if self._names == [None]:
            return self._typed(arrays[0], self._dtypes[0])
        return {name: self._typed(array, dtype) for name, array, dtype in zip(self._names, arrays, self._dtypes)}

    def arrays(self, example):
        if self._names == [None]:
            if isinstance(example, pd.DataFrame):
                example = example.to_numpy()
            return None if isinstance(example, dict) else [self._like(example, 0)]
        if not isinstance(example, dict) or any(name not in example for name in self._names):
            return None
        return [self._like(example[name], place) for place, name in enumerate(self._names)]

    def made_up(self):
        return [
            _ones(specification, [size if size > 0 else 1 for size in specification["shape"]])
            for specification in self.specifications
        ]

    def _like(self, example, place):
        values = example.toarray() if hasattr(example, "toarray") else np.asarray(example)
        dtype = self._dtypes[place]
        return values.astype(object if dtype.kind in "OUS" else dtype)

    @staticmethod
    def _typed(array, dtype):
        return array.astype(str) if dtype.kind == "U" else array


def _column(name, kind, array):
    values = array.reshape(-1)
    if kind == "datetime":
        return _times(name, values)
    if kind == "binary":
        return _objects(name, values, lambda text: base64.b64decode(text, validate=True), "bytes in base 64")
    if kind not in column_types:
        return _objects(name, values, json.loads, "JSON")
    if kind == "string" and len(values):
        # As pandas reads texts on this machine, so that models meet what they met when they were fitted.
        return pd.Series(values.tolist())
    return pd.Series(values, dtype=column_types[kind][1], copy=False)


def _times(name, values):
    try:
        times = pd.to_datetime(pd.Series(values, dtype="object"), format="ISO8601", utc=True)
    except (ValueError, TypeError):
        raise Refused('Column "{}": expected times in ISO 8601, such as 2026-01-31T12:00:00.'.format(name)) from None
    return times.dt.tz_localize(None).astype("datetime64[ns]")


def _objects(name, values, read, expectation):
    objects = np.empty(len(values), dtype=object)
    try:
        objects[:] = [None if text is None else read(text) for text in values]
    except ValueError:
        raise Refused('Column "{}": expected {}.'.format(name, expectation)) from None
    return pd.Series(objects, dtype="object")


def _example_column(kind, column):
    if kind == "datetime":
        return np.array([time.isoformat() for time in pd.to_datetime(column)], dtype=object)
    if kind == "binary":
        return np.array([base64.b64encode(value).decode("ascii") for value in column], dtype=object)
    if kind not in column_types:
        return np.array([json.dumps(value, default=lambda item: item.tolist()) for value in column], dtype=object)
    dtype = column_types[kind][1]
    values = column.to_numpy()
    return values.astype(object) if dtype == "object" else values.astype(dtype)


def _ones(specification, shape):
    if specification["datatype"] == "BYTES":
        return np.full(shape, "", dtype=object)
    from .tensors import dtype_of

    return np.ones(shape, dtype_of(specification["datatype"]))


def find_inputs(model, metadata, example):
    """What a loaded model takes, and a warning where that was guessed. Raises ValueError when nothing tells it."""
    schema = metadata.get_input_schema()
    if schema is not None and schema.inputs:
        return _of_schema(schema, False), None
    if example is not None:
        from mlflow.models.signature import infer_signature

        warning = "The model has no signature: what it takes was read off its input example."
        return _of_schema(infer_signature(example).inputs, True), warning
    names, count = _features(model)
    if names:
        warning = "The model has no signature: its columns were taken for numbers."
        return TableInputs([(name, "double", True) for name in names]), warning
    if count:
        warning = "The model has no signature: it was taken to take {} numbers a row.".format(count)
        return TensorInputs([(None, "float64", (-1, count))]), warning
    raise ValueError("it has neither a signature nor an input example, so what it takes is not known")


def _of_schema(schema, is_guessed):
    if schema.is_tensor_spec():
        return TensorInputs([(item.name, item.type, item.shape) for item in schema.inputs])
    columns = []
    for place, item in enumerate(schema.inputs):
        kind = getattr(item.type, "name", str(item.type))
        # A few rows of an example do not tell whole numbers from those that happen to be whole.
        if is_guessed and kind in ("integer", "long"):
            kind = "double"
        columns.append((item.name if item.name is not None else place, kind, getattr(item, "required", True)))
    return TableInputs(columns)


def _features(model):
    """The names, or at least the number, of the features that the model inside was fitted with."""
    for inside in _insides(model):
        names = getattr(inside, "feature_names_in_", None)
        if names is None:
            names = getattr(inside, "feature_names", None)
        if names is None and callable(getattr(inside, "feature_name", None)):
            names = inside.feature_name()
        if isinstance(names, (list, tuple, np.ndarray)) and len(names):
            return [str(name) for name in names], len(names)
        for attribute in ("n_features_in_", "num_features", "num_feature"):
            count = getattr(inside, attribute, None)
            count = count() if callable(count) else count
            if isinstance(count, (int, np.integer)) and count > 0:
                return None, int(count)
    return None, None


def _insides(model):
    implementation = getattr(model, "_model_impl", None)
    if implementation is None:
        return []
    return [implementation] + [value for value in getattr(implementation, "__dict__", {}).values()]
