"""The figures of the page, one small file for each subject; all words come from the caller's language."""
