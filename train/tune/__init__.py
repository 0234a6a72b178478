"""Fine-tuning of a Moondream 2 checkpoint on a user's own JSONL: `kimi-train tune`."""
