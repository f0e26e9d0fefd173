"""The doors: lines, inbox, outbox and media, and one folder a channel with its adapter, webhook and emulator.

What a channel delivers is stored word for word before it is acknowledged (G6), sorted into messages by a job, and told
to whoever listens by the signals in :mod:`rasd.channels.signals`. Nothing here knows what a message is about.
"""
