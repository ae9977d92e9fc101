"""Subscriptions: what is told of alerts, bands, syncs and playbook runs as it happens, and from any place on that is kept.

types      what is told, declared like every other type
fields     the root fields and their arguments
choosing   which events a subscription wants, told by what the log says of them
cursors    places in the log, as clients hold them
opening    from a request to a stream, all checks of a query passed
watching   those that are sent the same, and how events are put into words for them, set-wise
"""
