"""Evaluation: how often a model is right on held-out scenes and on users' own pictures."""
