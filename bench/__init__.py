"""Measurements: medians in one run on one machine, never a test."""
