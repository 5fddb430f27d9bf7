"""Export of a model in standard formats: ONNX, OpenVINO (also in 8-bit integers) and safetensors."""

from .formats import onnx, openvino, quantized, safetensors
from .quick import quicker

__all__ = ["onnx", "openvino", "quantized", "quicker", "safetensors"]
