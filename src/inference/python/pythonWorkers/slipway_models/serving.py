"""Holds one MLflow model of any flavour and answers predictions."""

import sys
import traceback

from .channel import Channel

_longest_detail = 500


def serve(folder):
    """Loads the model in a folder, says what it takes and gives, then answers until the parent is gone."""
    channel = Channel()
    try:
        model = _Model(folder)
    except BaseException as error:
        traceback.print_exc()
        channel.send({"type": "failed", "detail": _describe(error)})
        sys.exit(1)
    channel.send(model.description())
    while True:
        header, body = channel.receive()
        channel.send(*_answer(model, header, body))


def _answer(model, header, body):
    try:
        descriptions, chunks = model.run(header["inputs"], body)
        return {"type": "result", "outputs": descriptions}, chunks
    except Exception as error:
        # A refusal is the client's business; everything else is that of who looks at the log.
        if _is_refusal(error):
            return {"type": "refused", "detail": _describe(error)}, ()
        traceback.print_exc()
        return {"type": "failed", "detail": _describe(error)}, ()


class _Model:
    def __init__(self, folder):
        import mlflow
        import mlflow.pyfunc

        from .inputs import find_inputs
        from .outputs import aligned

        self._model = mlflow.pyfunc.load_model(folder)
        self._aligned = aligned
        metadata = self._model.metadata
        example, warning = _load_example(metadata, folder)
        self._warnings = [warning] if warning else []
        self._inputs, warning = find_inputs(self._model, metadata, example)
        if warning:
            self._warnings.append(warning)
        self._output_schema = metadata.get_output_schema()
        self._outputs = self._find_outputs(example)
        flavors = ", ".join(name for name in metadata.flavors if name != "python_function")
        self._facts = [
            {"name": "flavor", "value": flavors or "python_function"},
            {"name": "python", "value": "{}.{}.{}".format(*sys.version_info)},
            {"name": "mlflow", "value": mlflow.__version__},
        ]

    def description(self):
        return {
            "type": "ready",
            "inputs": self._inputs.specifications,
            "outputs": self._outputs,
            "warnings": self._warnings,
            "facts": self._facts,
        }

    def run(self, descriptions, body):
        from .tensors import read_tensors, write_tensor

        answer = self._predict(read_tensors(descriptions, body))
        arrays = self._aligned(self._named(answer), self._outputs)
        tensors = [write_tensor(array) for array in arrays]
        return [description for description, _ in tensors], [content for _, content in tensors]

    def _predict(self, arrays):
        return self._model.predict(self._inputs.value(arrays))

    def _named(self, answer):
        from .outputs import named_arrays

        return named_arrays(answer, self._only_output_name())

    def _output_fields(self):
        return self._output_schema.inputs if self._output_schema is not None else []

    def _only_output_name(self):
        fields = self._output_fields()
        return fields[0].name if len(fields) == 1 else None

    def _find_outputs(self, example):
        """What the model gives: what it answers for its example, else what its signature says."""
        from .outputs import is_named

        try:
            given = self._inputs.arrays(example) if example is not None else None
            answer = self._predict(given or self._inputs.made_up())
        except Exception as error:
            if example is not None:
                traceback.print_exc()
                self._warnings.append("The model refused its own input example: {}".format(_describe(error)))
            return self._outputs_of_signature()
        return [self._output(name, array, is_named(answer)) for name, array in self._named(answer).items()]

    def _output(self, name, array, named):
        from .outputs import all_missing
        from .tensors import datatype_of, dtype_of

        datatype = datatype_of(array.dtype)
        if datatype is None:
            raise TypeError('Its output "{}" of type {} cannot be sent.'.format(name, array.dtype))
        said = self._said_datatype(name)
        # What a model says that it gives is only what it may give: one row of whole numbers is no proof of integers.
        if said == "BYTES" and all_missing(array):
            datatype = said
        elif said is not None and said != "BYTES" and datatype != "BYTES" and dtype_of(said).kind == "f":
            datatype = said
        shape = [-1] + list(array.shape[1:]) if array.ndim else []
        return {"name": name, "datatype": datatype, "shape": shape, "unnamed": not named}

    def _said_datatype(self, name):
        fields = self._output_fields()
        for field in fields:
            if field.name == name or (field.name is None and len(fields) == 1):
                return _datatype_of_field(field)
        return None

    def _outputs_of_signature(self):
        from .outputs import unnamed

        fields = self._output_fields()
        if not fields:
            self._warnings.append("The model has no signature of its outputs: their type was guessed.")
            return [{"name": unnamed, "datatype": "FP64", "shape": None, "unnamed": True}]
        return [
            {
                "name": field.name or unnamed,
                "datatype": _datatype_of_field(field),
                "shape": list(field.shape) if hasattr(field, "shape") else [-1],
                # Models of one output mostly give an array, which has no names, whatever the signature calls it.
                "unnamed": len(fields) == 1,
            }
            for field in fields
        ]


def _datatype_of_field(field):
    from .inputs import column_types
    from .tensors import datatype_of

    if hasattr(field, "shape"):
        return datatype_of(field.type) or "BYTES"
    return column_types.get(getattr(field.type, "name", ""), ("BYTES", ""))[0]


def _load_example(metadata, folder):
    try:
        return metadata.load_input_example(folder), None
    except Exception as error:
        traceback.print_exc()
        return None, "The input example that was logged with the model cannot be used: {}".format(_describe(error))


def _is_refusal(error):
    """Whether the model does not take the values, and another request may well be answered."""
    from mlflow.exceptions import MlflowException

    if isinstance(error, MlflowException):
        return error.error_code in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    # What scikit-learn, pandas, XGBoost and most models raise for a value that they do not know.
    return isinstance(error, ValueError)


def _describe(error):
    """An error in one line, without places of the source."""
    text = " ".join(str(error).split())
    if not text or isinstance(error, KeyError):
        text = "{}: {}".format(type(error).__name__, text)
    return text if len(text) <= _longest_detail else text[:_longest_detail] + "…"
