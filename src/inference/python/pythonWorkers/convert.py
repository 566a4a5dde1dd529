"""Entry: makes an ONNX model of an MLflow model; what is wanted comes as the first frame."""

import os
import sys

from slipway_models import conversion

if __name__ == "__main__":
    # Models bring modules of their own, which must not meet those of this folder.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    conversion.answer()
