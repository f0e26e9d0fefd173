"""The staff's pages: thin views and templates, no rules."""
