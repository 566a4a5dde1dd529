"""Tensors of the Open Inference Protocol as numpy arrays, and as bytes in the layout of its binary extension."""

import base64
import json
import struct

import numpy as np

_dtypes = {
    "BOOL": np.dtype("?"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
_datatypes = {(dtype.kind, dtype.itemsize): name for name, dtype in _dtypes.items()}
_length = struct.Struct("<I")

missing_text = "\0"
"""Stands for no value in a tensor of texts: no text of a request holds this character."""


def datatype_of(dtype):
    """The protocol's name of a numpy type; None when it has none. Texts and other objects are BYTES."""
    dtype = np.dtype(dtype)
    if dtype.kind in "OUS":
        return "BYTES"
    return _datatypes.get((dtype.kind, dtype.itemsize))


def dtype_of(datatype):
    """The numpy type of a datatype; texts are objects."""
    return np.dtype(object) if datatype == "BYTES" else _dtypes[datatype]


def read_tensors(descriptions, body):
    """The arrays of a frame, in order; None for one that the client left out."""
    arrays = []
    at = 0
    for description in descriptions:
        content = body[at : at + description["bytes"]]
        at += description["bytes"]
        arrays.append(None if description.get("absent") else _read_tensor(description, content))
    return arrays


def _read_tensor(description, content):
    shape = tuple(description["shape"])
    if description["datatype"] != "BYTES":
        # A copy: models may write into what they are given.
        return np.frombuffer(content, _dtypes[description["datatype"]]).reshape(shape).copy()
    texts = []
    at = 0
    while at < len(content):
        (length,) = _length.unpack_from(content, at)
        at += _length.size
        text = content[at : at + length].decode("utf-8")
        texts.append(None if text == missing_text else text)
        at += length
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array.reshape(shape)


def write_tensor(array):
    """A description of an array, and its bytes. Raises TypeError when the protocol has no datatype for it."""
    datatype = datatype_of(array.dtype)
    if datatype is None:
        raise TypeError("The model gave values of type {}, which cannot be sent.".format(array.dtype))
    if datatype == "BYTES":
        content = b"".join(_text_bytes(value) for value in array.ravel())
    else:
        content = np.ascontiguousarray(array, _dtypes[datatype]).tobytes()
    return {"datatype": datatype, "shape": list(array.shape), "bytes": len(content)}, content


def _text_bytes(value):
    content = text_of(value).encode("utf-8", "surrogatepass")
    return _length.pack(len(content)) + content


def text_of(value):
    """A value as a text: bytes in base 64, lists and objects as JSON, times in ISO 8601."""
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        return base64.b64encode(value).decode("ascii")
    if _is_missing(value):
        return missing_text
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return json.dumps(value, default=_plain)


def _is_missing(value):
    if value is None:
        return True
    # Only those are not equal to themselves: not a number, not a time, and pandas' own, which is neither true nor false.
    try:
        return bool(value != value)
    except (TypeError, ValueError):
        return type(value).__name__ == "NAType"


def _plain(value):
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)
