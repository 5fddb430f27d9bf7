"""The stages of a run: each a function of typed inputs and settings in a file of its name; line.py runs them."""
