"""The workbench: pages in a browser where the functions of this package are used with the mouse."""
