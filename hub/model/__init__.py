"""The unified model: frozen dataclasses and enums that every other package may import, and that import nothing of ours.

`records`   what connectors make and sync stores: companies, contacts, usage, tickets, survey answers, money
`actions`   what the hub does about it: alerts, playbook runs, deliveries
"""
