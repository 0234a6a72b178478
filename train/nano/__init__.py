"""Training nano from scratch: rendered scenes, questions about them, dense labels, the recipe."""
