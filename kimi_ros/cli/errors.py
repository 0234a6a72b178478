"""Errors of the command line."""


class CommandError(Exception):
    """The command cannot go on; the message says why, and what to do."""
