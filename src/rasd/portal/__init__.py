"""The customers' pages. Empty until the issue that builds them."""
