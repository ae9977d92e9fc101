"""What people may ask of their data, carried out: a copy of it, and that it goes.

`asking`      whom a request is about
`erasing`     erase a person or customer, through every table, and keep them from coming back
`exporting`   everything of a person or customer as one JSON file
`retaining`   what ran out of its time, by a daily job
"""
