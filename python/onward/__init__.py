"""Onward turns trained models into ONNX and serves them; here is what runs in a training environment."""

__version__ = "0.1.0"
