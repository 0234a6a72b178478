"""Grounded action plans from what a camera sees and what a person asks for."""

__version__ = '0.1.0'
