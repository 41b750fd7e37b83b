"""Practice: drawing a paper, answering at one's own pace, and what may be seen when."""
