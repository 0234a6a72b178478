"""TensorRT: the engine, its bookkeeping, and the device beneath it."""
