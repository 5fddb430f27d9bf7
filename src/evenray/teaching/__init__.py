"""The labs: the slides as exercises. What a notebook uses (`Lab`), and what writes notebooks of their sources (labs/*.md)."""

from .lab import Lab, NotYet
from .source import LABS, Source
from .writing import as_notebook, as_script

__all__ = ["LABS", "Lab", "NotYet", "Source", "as_notebook", "as_script"]
