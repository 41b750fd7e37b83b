"""What the area needs from outside, by conversation."""
