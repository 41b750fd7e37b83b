"""What a student has come to, in memory."""
