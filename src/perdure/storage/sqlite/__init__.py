"""A partition in one SQLite file."""
