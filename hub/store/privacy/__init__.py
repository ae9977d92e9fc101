"""Personal data in the store: where it lies, whose it is, and taking it out.

`place`       what is said of a table: which columns tell a person, how a row is found, what erasing does
`places`      every table's place, in the order in which erasing goes through them
`keyed`       keyed hashes, by which what was erased is known again without being kept
`subject`     whom an erasure or an export is about: addresses, contacts, users, names
`finding`     rows of a subject in a table
`changing`    what a row becomes
`erasures`    erasures that go on and their reports
`tombstones`  what keeps the erased from coming back
`mentions`    free words that speak of a subject
`beyond`      what erasing cannot reach
`kinds`       what has a time, and how long it is
`keeping`     what becomes of it when that is over
`retentions`  runs of the job that does it
`secrets`     secrets at rest, as they are stored
"""
