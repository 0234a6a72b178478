"""Training of Moondream 2 models in PyTorch: fine-tuning (`tune`), nano (`nano`), their data.

The folder is `train/`; it is imported as `kimi_train`.
"""
