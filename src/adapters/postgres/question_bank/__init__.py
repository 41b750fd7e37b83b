"""The question bank on PostgreSQL."""
