"""The workbench: pages in a browser where the functions of this package are used with the mouse; it needs the extra `app`."""

import evenray.serve  # noqa: F401  (says which extra is missing, before a module of ours fails to import fastapi)
