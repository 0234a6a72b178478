"""How a verb gives up."""


class Failure(Exception):
    """Nothing more can be done; the text tells a person why, and what would help."""
