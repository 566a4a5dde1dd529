"""What Slipway runs in the person's own interpreter: MLflow models that only Python can load.

Works with Python 3.8 and later, and imports nothing that MLflow does not bring.
"""
