"""The public API: the verbs, each a function with a typed result that sends events to whoever listens."""
