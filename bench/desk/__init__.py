"""A big desk, measured: see ``__main__``."""
