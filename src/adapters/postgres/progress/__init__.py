"""What a student has come to, on PostgreSQL."""
