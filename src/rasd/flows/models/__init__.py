"""What the conductor keeps: dialogues with customers in ``dialogues``, what many are written at once in ``templates``,
``reminders``, ``visits`` and ``estimated``, who may open an account's page in ``links``."""

from rasd.flows.models.dialogues import (
    PULSE_LASTS,
    Dialogue,
    Handling,
    IdentityAttempt,
    WorkerPulse,
)
from rasd.flows.models.estimated import EstimateTold
from rasd.flows.models.links import LinkRevocation
from rasd.flows.models.reminders import Reminded, Reminder
from rasd.flows.models.templates import ApprovedTemplate
from rasd.flows.models.visits import VisitSample

__all__ = [
    "PULSE_LASTS",
    "ApprovedTemplate",
    "Dialogue",
    "EstimateTold",
    "Handling",
    "IdentityAttempt",
    "LinkRevocation",
    "Reminded",
    "Reminder",
    "VisitSample",
    "WorkerPulse",
]
