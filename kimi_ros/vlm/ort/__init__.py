"""onnxruntime: sessions, the decoder with its cache, and the engine over them."""
