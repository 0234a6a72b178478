"""nano from nothing: rendered scenes, questions about them, dense labels, and the recipe."""
