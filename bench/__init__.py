"""Benchmarks: medians of one run on one machine."""
