"""The desk for other programs: ``/api/v1/``, and webhooks that tell them what happens. No rules: those are the desk's."""
