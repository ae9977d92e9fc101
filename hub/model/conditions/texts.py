"""Texts as conditions compare them where case does not count, and the words a search looks for.

`fold` gives every letter its small one, one for one, so that SQLite, PostgreSQL and Python agree on it whatever the locale of
a server: no letter becomes two, and accents stay.
"""

SEPARATORS = " -._/&()@,'+:|"
"""What stands between words."""
LONGEST_SEARCH = 200
MOST_WORDS = 10
ODD = {"\u0130": "i", "\u212a": "k", "\u212b": "\u00e5"}
"""Letters whose small ones others have, too: the dotted capital I, the signs for kelvin and ångström."""
_SPACES = str.maketrans(SEPARATORS, " " * len(SEPARATORS))


def fold(text: str) -> str:
    """The text in small letters."""
    if text.isascii():
        return text.lower()
    return "".join(ODD.get(letter) or _small(letter) for letter in text)


def _small(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else letter


def words(text: str) -> list[str]:
    """The words of a text, folded."""
    return fold(text).translate(_SPACES).split()


def is_within(search: str, *texts: str | None) -> bool:
    """Whether every word of `search` begins a word of one of the texts."""
    there = [word for text in texts if text for word in words(text)]
    return all(any(word.startswith(wanted) for word in there) for wanted in words(search))
