"""A small text model that reads instructions: any words, any skills, English and Chinese."""
