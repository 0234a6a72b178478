"""School: rendered scenes, questions about them, and the training of Moondream 2 models (torch)."""
