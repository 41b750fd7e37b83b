"""What administrators do with people, limits and the record of it."""
