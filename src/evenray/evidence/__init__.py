"""What was tried, and why a network says what it says."""
