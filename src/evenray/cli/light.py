"""The verbs histogram and enhance."""
