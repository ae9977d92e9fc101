"""Expansion: opportunities that rules over facts find, each with its evidence and expected value, and what becomes of them.

`settings`   the rules, and whom nothing is offered     `worth`    what one would bring, and what has won it
`keeping`    all customers at once                      `stating`  what people say
"""

from hub.lifecycle.expansion.keeping import keep_expansion
from hub.lifecycle.expansion.settings import ExpansionSettings
from hub.lifecycle.expansion.stating import state_opportunity

__all__ = ["ExpansionSettings", "keep_expansion", "state_opportunity"]
