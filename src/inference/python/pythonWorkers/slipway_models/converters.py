"""The conversion to ONNX by skl2onnx and onnxmltools."""

import importlib

import numpy as np

from .nativeModels import takes_columns

_matrix_name = "input"


def convert(native):
    """The ONNX model of a native one, and a function that makes its inputs of a table."""
    by_column = native.flavor == "sklearn" and (
        any(kind not in ("integer", "long", "float", "double", "boolean") for _, kind in native.columns)
        or takes_columns(native.model)
    )
    if native.flavor == "sklearn":
        return _convert_sklearn(native, by_column), _inputs(native.columns, by_column)
    return _convert_trees(native), _inputs(native.columns, False)


def _inputs(columns, by_column):
    def matrix(frame):
        return [frame.to_numpy().astype(np.float32)]

    def by_name(frame):
        return [_column(frame[name], kind).reshape(-1, 1) for name, kind in columns]

    return by_name if by_column else matrix


def _column(values, kind):
    if kind in ("integer", "long"):
        return values.to_numpy().astype(np.int64)
    if kind == "boolean":
        return values.to_numpy().astype(bool)
    if kind in ("float", "double"):
        return values.to_numpy().astype(np.float32)
    return values.astype(object).where(values.notna(), "").to_numpy(dtype=object)


def _convert_sklearn(native, by_column):
    import skl2onnx
    from skl2onnx.common.data_types import BooleanTensorType, FloatTensorType, Int64TensorType, StringTensorType
    from sklearn.base import is_classifier

    _know_trees()
    types = {"integer": Int64TensorType, "long": Int64TensorType, "boolean": BooleanTensorType, "float": FloatTensorType, "double": FloatTensorType}
    if by_column:
        inputs = [(name, types.get(kind, StringTensorType)([None, 1])) for name, kind in native.columns]
    else:
        inputs = [(_matrix_name, FloatTensorType([None, len(native.columns)]))]
    # Scores as one tensor, and not as a map for each row, which runtimes cannot batch.
    options = {id(native.model): {"zipmap": False}} if is_classifier(native.model) else None
    # The converters of XGBoost and LightGBM know this version of the operators for trees and no later one.
    opsets = {"": skl2onnx.__max_supported_opset__, "ai.onnx.ml": 3}
    return skl2onnx.convert_sklearn(native.model, initial_types=inputs, options=options, target_opset=opsets)


def _know_trees():
    """Pipelines of scikit-learn may end in a model of XGBoost or LightGBM, which skl2onnx converts when it is told how."""
    try:
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    except ImportError:
        return
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes,
        calculate_linear_regressor_output_shapes,
    )

    for module, prefix, converter in (("xgboost", "XGB", convert_xgboost), ("lightgbm", "LGBM", convert_lightgbm)):
        try:
            library = importlib.import_module(module)
        except ImportError:
            continue
        alias = "XGBoost" if module == "xgboost" else "LightGbm"
        update_registered_converter(
            getattr(library, prefix + "Classifier"),
            alias + prefix + "Classifier",
            calculate_linear_classifier_output_shapes,
            converter,
            options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
        )
        update_registered_converter(
            getattr(library, prefix + "Regressor"),
            alias + prefix + "Regressor",
            calculate_linear_regressor_output_shapes,
            converter,
            options={"split": None} if module == "lightgbm" else None,
        )


def _convert_trees(native):
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    inputs = [(_matrix_name, FloatTensorType([None, len(native.columns)]))]
    if native.flavor == "lightgbm":
        return onnxmltools.convert_lightgbm(native.model, initial_types=inputs, zipmap=False)
    booster = native.model if native.is_booster else native.model.get_booster()
    # The converter reads the places of features from their names, and knows only those that XGBoost makes up.
    booster.feature_names = None
    return onnxmltools.convert_xgboost(native.model, initial_types=inputs)
