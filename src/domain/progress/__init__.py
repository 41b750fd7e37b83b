"""What a student has come to: study days, streaks, badges, strong and weak topics, readiness, reviews that are due."""
