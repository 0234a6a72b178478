"""The command `kimi`, one verb a file."""
