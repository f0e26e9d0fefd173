"""What is on record. Reference data in ``reference``, rounds in ``cycles``, what customers sent in ``submissions``,
what is billed in ``readings``, what people must look at in ``reviews``."""

from rasd.metering.models.cycles import Cycle
from rasd.metering.models.judgements import Judgement, NotAdoptable
from rasd.metering.models.photographs import Photograph
from rasd.metering.models.readings import Adoption, Reading, trace
from rasd.metering.models.reference import Account, AccountContact, Meter, Register, ServicePoint
from rasd.metering.models.reviews import Review, ReviewClosed, ReviewTaken
from rasd.metering.models.shadow import EyeService, ShadowReading
from rasd.metering.models.submissions import ALBUM_GAP, Submission

__all__ = [
    "ALBUM_GAP",
    "Account",
    "AccountContact",
    "Adoption",
    "Cycle",
    "EyeService",
    "Judgement",
    "Meter",
    "NotAdoptable",
    "Photograph",
    "Reading",
    "Register",
    "Review",
    "ReviewClosed",
    "ReviewTaken",
    "ServicePoint",
    "ShadowReading",
    "Submission",
    "trace",
]
