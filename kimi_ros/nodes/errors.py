"""Errors of messages that the node receives."""


class ImageFormatError(ValueError):
    """An image message that cannot be decoded; the message says what is supported."""
