"""The sections of the page, one small file each: `context(run, say) -> Shown | None`, None where it cannot be told yet.

Each has a template of the same name, which shows the fields of its `Shown`. The page lists them in order, with the verb
that fills the empty ones.
"""
