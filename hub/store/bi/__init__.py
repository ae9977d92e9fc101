"""What other tools read of the hub: views in the database, and the same rows for exports.

`view`     what one is: columns, each with what it means
`catalog`  all of them
`pages`    their rows, in pages
`making`   the database's own views
"""

from hub.store.bi.catalog import VIEWS
from hub.store.bi.pages import read_pages
from hub.store.bi.view import Given, View

__all__ = ["VIEWS", "Given", "View", "read_pages"]
