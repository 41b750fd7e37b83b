"""Use cases of exam packages and of being enrolled in them."""
