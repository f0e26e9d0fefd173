"""What is tried: a service somewhere, and the errands that are run on it."""

from django.db import models

from rasd.watch.journeys import Journey, parse


class Target(models.Model):
    """A service that somebody runs and permits us to try. Its entry in ``watch.yaml`` is the truth; this is its copy."""

    name = models.SlugField(unique=True)
    title = models.CharField(max_length=200)
    url = models.URLField(max_length=1000)
    zone = models.CharField(max_length=64, help_text="IANA; the week's hours are counted in it")
    visits_a_day = models.PositiveIntegerField(help_text="at most; confirmations are of it")
    settings = models.JSONField(default=dict, help_text="its whole entry in watch.yaml")
    public = models.BooleanField(default=False, help_text="shown on /status")
    gone_at = models.DateTimeField(null=True, help_text="when it left watch.yaml; what was seen is kept")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class JourneyFile(models.Model):
    """One wording of a journey. A file that is changed is a new row; what was played with the old one says so."""

    target = models.ForeignKey(Target, models.PROTECT, related_name="journeys")
    name = models.SlugField()
    text = models.TextField(help_text="the YAML, as it was read")
    sha256 = models.CharField(max_length=64)
    added_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="when it was changed or taken away")

    class Meta:
        ordering = ["name", "-added_at"]
        constraints = [
            models.UniqueConstraint(fields=["target", "name", "sha256"], name="a_wording_once"),
            models.UniqueConstraint(
                fields=["target", "name"], condition=models.Q(gone_at=None), name="one_wording_in_force"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def journey(self) -> Journey:
        return parse(self.text, self.name)
