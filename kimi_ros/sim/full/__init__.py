"""The full table: household things with sizes, materials, stacks, contents, text and people."""
