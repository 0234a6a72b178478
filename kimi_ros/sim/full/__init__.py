"""The full table: household objects with sizes, materials, stacks, contents, text and people."""
