"""The stranger who tries the service. Empty until the issue that builds it; the import law already keeps it a stranger."""
