"""The sections of the page, one small file each: `context(run, say) -> dict | None`, None where it cannot be told yet.

Each has a template of the same name. The page lists them in order, with the verb that fills the empty ones.
"""
