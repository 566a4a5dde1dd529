"""Makes an ONNX model of a scikit-learn, XGBoost or LightGBM model, and rows to check it with."""

import os
import sys
import traceback

from .channel import Channel

_longest_detail = 500
_flavors = {"sklearn": ("skl2onnx", "onnx"), "xgboost": ("onnxmltools", "skl2onnx", "onnx"), "lightgbm": ("onnxmltools", "skl2onnx", "onnx")}


def answer():
    """Converts what the first frame asks for, sends what came of it, and ends."""
    channel = Channel()
    wanted, _ = channel.receive()
    try:
        header, chunks = _convert(wanted, lambda fraction, message: channel.send({"type": "progress", "fraction": fraction, "message": message}))
    except Exception as error:
        traceback.print_exc()
        header, chunks = {"type": "failed", "detail": _describe(error)}, ()
    channel.send(header, chunks)
    os._exit(0)


def _convert(wanted, progress):
    import importlib.util

    folder = wanted["folder"]
    flavor = wanted["flavor"]
    missing = [name for name in _flavors[flavor] if importlib.util.find_spec(name) is None]
    if missing:
        return {"type": "missing", "packages": missing}, ()
    progress(0.05, "loading")
    import mlflow.models

    from .conversionRows import rows_to_check
    from .converters import convert
    from .nativeModels import load_native

    metadata = mlflow.models.Model.load(folder)
    native = load_native(flavor, folder, metadata)
    progress(0.3, "predicting")
    checks = rows_to_check(native, metadata, folder, wanted["dataset"], wanted["rows"])
    progress(0.5, "converting")
    onnx_model, inputs = convert(native)
    progress(0.7, "saving")
    _save(onnx_model, native, metadata, wanted["output"])
    return _described(native, inputs, checks, [output.name for output in onnx_model.graph.output])


def _save(onnx_model, native, metadata, output):
    import mlflow
    import mlflow.onnx
    import onnx
    from mlflow.models import ModelSignature

    signature = metadata.signature
    # What the columns are called and meant stays; what comes out is called as the ONNX model calls it.
    kept = ModelSignature(inputs=signature.inputs) if signature is not None else None
    example = native.example()
    mlflow.onnx.save_model(
        onnx_model,
        output,
        signature=kept,
        input_example=example,
        # Named here, so that MLflow does not load the model once more to find them.
        pip_requirements=["mlflow=={}".format(mlflow.__version__), "onnx=={}".format(onnx.__version__), "onnxruntime"],
        save_as_external_data=False,
    )


def _described(native, inputs, checks, output_names):
    from .tensors import write_tensor

    chunks = []

    def written(array):
        description, content = write_tensor(array)
        chunks.append(content)
        return description

    described = []
    for check in checks:
        if check["skipped"] is not None:
            described.append(dict(check, feeds=[], expected=[]))
            continue
        frame = check.pop("frame")
        answers = check.pop("answers")
        described.append(
            dict(
                check,
                feeds=[written(array) for array in inputs(frame)],
                expected=[
                    dict(written(array), name=name)
                    for name, array in zip(output_names, native.by_output(answers, len(output_names)))
                    if array is not None
                ],
            )
        )
    return {"type": "converted", "checks": described}, chunks


def _describe(error):
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= _longest_detail else text[:_longest_detail] + "…"
