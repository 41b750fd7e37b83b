"""What the question bank needs from outside, conversation by conversation."""
