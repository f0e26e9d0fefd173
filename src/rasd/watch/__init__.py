"""The watch: a stranger who tries a service at every hour of the week, and can prove what happened (G13 to G15).

It knows nothing of the rooms beside it: it has settings, a database and a site of its own, and comes in by public doors.
"""
