"""A finished run: its table, its picture, and a page to look inside."""
