"""The compiled read path: a query's root fields as one SQL statement each, which returns their JSON, all but finished.

    data = await reading.Reader(schema).read(context, document, operation, variables)
                                                                     None: the ordinary path is to answer

It runs where Strawberry would execute an operation, so every check of a request is behind it: roles, scopes, personal data,
cost. What is read is what the ordinary path would read: root fields' own resolvers say which rows (`asking`), the declared
fields of the types say which columns (`selecting`), the book is part of every statement. It answers all of an operation or
none of it, and none wherever anything is amiss: then the ordinary path finds the same thing amiss, and says so.

asking      asks a root field's resolver which rows it wants, without letting it do work of its own
selecting   a selection of a document as a tree (hub.store.query.compiled), made once
relating    a relation in it, and its arguments
filling     values that are worked out in Python: ids, cursors, computed fields, JSON of a column
looking_up  ids and names of enums in SQLite's texts
remembered  what was made of them before
planning    the plan of an operation: its trees and what a request gives to them
reading     runs a plan
"""
