"""One person's data, wherever the rooms keep it: given to him, and erased, when he asks."""
