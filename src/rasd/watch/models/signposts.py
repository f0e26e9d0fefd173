"""What a place tells every stranger who asks: ``/robots.txt``, and whose word counts there (``/.well-known/rasd-permission``)."""

from django.db import models


class Signpost(models.Model):
    """The last answer to a question that is asked at most once a day, shared by all watchers."""

    url = models.URLField(max_length=1000, unique=True)
    asked_at = models.DateTimeField(help_text="answered or not")
    ask_again_at = models.DateTimeField()
    error = models.CharField(max_length=500, blank=True, help_text="why the last question went unanswered")
    answered_at = models.DateTimeField(null=True, help_text="when the answer below was given")
    status = models.PositiveSmallIntegerField(null=True)
    text = models.TextField(blank=True)

    def __str__(self) -> str:
        return self.url
