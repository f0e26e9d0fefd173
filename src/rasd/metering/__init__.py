"""The records of metering, in the words of IEC 61968-9: accounts, service points, meters, registers, cycles, readings.

Knows nothing of channels or conversations: where a reading came from is a plain string (``origin``), its photograph a SHA-256.
"""
