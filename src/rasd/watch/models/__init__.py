"""What the watch remembers: what it tries, what it planned, what it did, what it saw, whom it told."""

from rasd.watch.models.about import About
from rasd.watch.models.alerts import Acknowledgement, Alert, Maintenance, Telling
from rasd.watch.models.plans import Claim, Plan, Planned, Skip, Watcher
from rasd.watch.models.probes import Probe, Shown, StepPlayed, the_box
from rasd.watch.models.signposts import Signpost
from rasd.watch.models.tallies import Tally
from rasd.watch.models.targets import JourneyFile, Target

__all__ = [
    "About",
    "Acknowledgement",
    "Alert",
    "Claim",
    "JourneyFile",
    "Maintenance",
    "Plan",
    "Planned",
    "Probe",
    "Shown",
    "Signpost",
    "Skip",
    "StepPlayed",
    "Tally",
    "Target",
    "Telling",
    "Watcher",
    "the_box",
]
