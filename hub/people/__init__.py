"""What our own people write down of customers beside the sources: notes, and whose a customer is.

`notes`      written, edited by their author or a manager, deleted without a trace of what they said
`assigning`  customers given to a CSM by our own word, and given back to what the source says
"""

from hub.people.assigning import Assigned, assign, unassign
from hub.people.notes import Writer, delete_note, edit_note, write_note

__all__ = ["Assigned", "Writer", "assign", "delete_note", "edit_note", "unassign", "write_note"]
