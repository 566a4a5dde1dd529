"""What a model's `predict` gives, as named tensors."""

import numpy as np

unnamed = "predictions"
"""The name of an output that the model gives without a name."""


def named_arrays(result, name=None):
    """The arrays of a prediction by name, in order. `name` is that of the only output in the model's signature."""
    if hasattr(result, "columns") and hasattr(result, "iloc"):
        return {str(column): column_array(result.iloc[:, place]) for place, column in enumerate(result.columns)}
    if isinstance(result, dict):
        return {str(key): _array(value) for key, value in result.items()}
    if _is_list_of_records(result):
        return {str(key): _array([record[key] for record in result]) for key in result[0]}
    if hasattr(result, "iloc"):
        return {name or (str(result.name) if result.name is not None else unnamed): column_array(result)}
    return {name or unnamed: _array(result)}


def is_named(result):
    """Whether a prediction brings names of its own."""
    return hasattr(result, "iloc") or isinstance(result, dict) or _is_list_of_records(result)


def _is_list_of_records(result):
    if not isinstance(result, (list, tuple)) or not result or not isinstance(result[0], dict) or not result[0]:
        return False
    keys = result[0].keys()
    return all(isinstance(record, dict) and record.keys() == keys for record in result)


def column_array(column):
    """The values of a pandas column. Numbers of which some are missing become floating-point."""
    dtype = column.dtype
    if isinstance(dtype, np.dtype):
        return _plain_array(column.to_numpy())
    kind = getattr(dtype, "kind", "O")
    if kind in "iufb" and hasattr(column.array, "isna"):
        if not column.isna().any():
            return column.to_numpy(dtype=getattr(dtype, "numpy_dtype", None))
        if kind != "b":
            return column.to_numpy(dtype="float64", na_value=np.nan)
    return _plain_array(column.astype(object).to_numpy())


def _array(values):
    if hasattr(values, "toarray"):
        values = values.toarray()
    if hasattr(values, "iloc"):
        return column_array(values) if not hasattr(values, "columns") else _plain_array(values.to_numpy())
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    if isinstance(values, (list, tuple)) and any(isinstance(value, (dict, bytes)) for value in values):
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array
    try:
        return _plain_array(np.asarray(values))
    except ValueError:
        # Lists of different lengths are elements as they are.
        array = np.empty(len(values), dtype=object)
        array[:] = values
        return array


def _plain_array(array):
    """Objects that are all numbers or truths as such; times as texts."""
    if array.dtype.kind in "mM":
        return np.datetime_as_string(array).astype(object) if array.dtype.kind == "M" else array.astype(str).astype(object)
    if array.dtype.kind in "US":
        return array.astype(str).astype(object)
    if array.dtype.kind == "O" and array.size:
        types = {type(value) for value in array.ravel()}
        if all(issubclass(kind, (bool, np.bool_)) for kind in types):
            return array.astype(bool)
        if all(issubclass(kind, (int, float, np.number)) and not issubclass(kind, bool) for kind in types):
            return np.array(array.tolist())
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return array.astype("float64")
    return array


def aligned(arrays, specifications):
    """The arrays in the order and types that the model was said to give. Raises TypeError when they are others."""
    if list(arrays) != [specification["name"] for specification in specifications]:
        expected = ", ".join(specification["name"] for specification in specifications)
        raise TypeError("The model answered {} where it answered {} before.".format(", ".join(arrays), expected))
    return [_cast(arrays[item["name"]], item) for item in specifications]


def all_missing(array):
    """Whether there is no value at all, which pandas holds as numbers whatever was meant."""
    return array.dtype.kind == "f" and array.size > 0 and bool(np.isnan(array).all())


def _cast(array, specification):
    from .tensors import datatype_of, dtype_of

    wanted = dtype_of(specification["datatype"])
    if wanted.kind == "O" and all_missing(array):
        return np.full(array.shape, None, dtype=object)
    if datatype_of(array.dtype) == specification["datatype"] or array.size == 0:
        return array.astype(wanted, copy=False)
    if wanted.kind != "O" and array.dtype.kind in "biuf":
        cast = array.astype(wanted)
        # Floating-point may lose digits, as it does everywhere; whole numbers and truths may not change.
        if wanted.kind == "f" or np.array_equal(cast.astype(array.dtype), array):
            return cast
    raise TypeError(
        'The model answered values of type {} as "{}", where {} was expected. Log it with a signature that says what '
        "it gives.".format(array.dtype, specification["name"], specification["datatype"])
    )
