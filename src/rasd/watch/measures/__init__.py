"""What many visits say together. Pure: plain rows in, dataclasses out; no Django, no database, no clock.

The rows are asked of the tables by :class:`rasd.watch.models.about.About`.
"""
