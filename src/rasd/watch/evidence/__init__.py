"""What was seen, kept by its hash, chained and thrown away by rule."""
