"""Entry of the process that holds one MLflow model and answers the scorer: serve.py <folder of the model>."""

import os
import sys

from slipway_models import serving

if __name__ == "__main__":
    # Models bring modules of their own, which must not meet those of this folder.
    sys.path.remove(os.path.dirname(os.path.abspath(__file__)))
    serving.serve(sys.argv[1])
