"""ONNX Runtime: sessions, the decoder with its KV cache, and the engine."""
