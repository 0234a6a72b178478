"""Examinations: how often a model is right on scenes that no training has seen."""
