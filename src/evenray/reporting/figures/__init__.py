"""Every drawing of the project: `svg.py` and `plot.py` are the core, each other file is one figure, `f(data) -> Svg`."""
