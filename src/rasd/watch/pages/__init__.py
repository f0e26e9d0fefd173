"""The watch's own site: thin views, templates, the geometry of the drawings. No rules."""
