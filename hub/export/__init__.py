"""Taking rows out of the hub for other tools: which columns of which view, for which customers, as CSV, JSON Lines or Parquet.

`asking`   what is asked for, checked: the view, its columns, a condition on customers
`formats`  rows into bytes
"""

from hub.export.asking import Asked, PersonalError, Planned, plan
from hub.export.formats import FORMATS, Format, encoded

__all__ = ["FORMATS", "Asked", "Format", "PersonalError", "Planned", "encoded", "plan"]
