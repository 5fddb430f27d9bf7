"""The web server that the REST service and the workbench stand on; it needs the extra `app`."""

from importlib.util import find_spec

from evenray.core.errors import MissingExtra

for _package in ("fastapi", "uvicorn", "python_multipart", "prometheus_client"):
    if find_spec(_package) is None:
        raise MissingExtra("serving", _package.replace("_", "-"), "app")
