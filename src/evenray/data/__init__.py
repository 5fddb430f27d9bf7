"""Many images: the table of cases, its audit, its parts and its prepared pixels."""
