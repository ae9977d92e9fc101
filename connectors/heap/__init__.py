"""Heap: days of use and users, from the tables that Heap Connect drops in a folder or an object store."""
