"""The memory: the append-only, hash-chained record of who did what, when, and why (G12).

Call :func:`rasd.ledger.models.record` inside the transaction that does the thing recorded, so that
neither exists without the other. Nothing here knows what the other rooms are about.
"""
