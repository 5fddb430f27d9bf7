"""The pages of the workbench, in the order of the navigation.

The page NAME is the router of `pages/NAME.py`, at /NAME (with - for _); its template is `templates/NAME.html`, its script
`static/NAME.js`, and its texts, whose keys begin with "app.NAME.", stand in `locales/*/app_NAME.json`.
"""

from __future__ import annotations

__all__ = ["PAGES", "path_of"]

PAGES = ("data", "light_bench", "vgg16", "balance_bench", "runs", "try_it")


def path_of(page: str) -> str:
    """Where a page is.

    >>> path_of("light_bench")
    '/light-bench'
    """
    return f"/{page.replace('_', '-')}"
