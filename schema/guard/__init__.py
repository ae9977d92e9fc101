"""What stands between a request and its execution: size, cost and budget, trusted documents, introspection, time.

limits      how large a document may be: tokens, depth, fields, aliases, directives, root fields
trusted     documents known beforehand, named by their SHA-256; they can be made the only ones
secrecy     who may look at the schema, and be told of names that are like the one they misspelt
pricing     what an operation costs, worked out from its page sizes before it runs
budget      how much a token may cost in a minute
timing      how long an operation may take, and what becomes of it when its client is gone
guard       all of that for one hub, as `schema.answering` calls it
"""
