"""What is on record. Reference data in ``reference``, rounds in ``cycles``, what customers sent in ``submissions``,
what readers brought in ``field``, how their rounds were in ``records``, what the rules found in ``validation``, what is
adopted in ``readings``, what is billed where nobody read in ``estimates``, what billing took in ``billing``, what people must
look at in ``reviews``."""

from rasd.metering.models.billing import Billed, BillingExport, Closing
from rasd.metering.models.cycles import Cycle, DistrictWindow
from rasd.metering.models.estimates import Estimate, Season, TrueUp, UsualUse
from rasd.metering.models.field import Comparison, FieldRead, Reader, Route, VisitQuestion
from rasd.metering.models.judgements import Judgement, NotAdoptable
from rasd.metering.models.photographs import Photograph
from rasd.metering.models.readings import Adoption, Reading
from rasd.metering.models.records import ReaderAnswer, ReaderSign
from rasd.metering.models.reference import Account, AccountContact, Meter, Register, ServicePoint
from rasd.metering.models.reviews import Review, ReviewClosed, ReviewTaken
from rasd.metering.models.shadow import EyeService, ShadowReading
from rasd.metering.models.submissions import ALBUM_GAP, Submission
from rasd.metering.models.validation import ReadingException, Rule, ValidationSetting

__all__ = [
    "ALBUM_GAP",
    "Account",
    "AccountContact",
    "Adoption",
    "Billed",
    "BillingExport",
    "Closing",
    "Comparison",
    "Cycle",
    "DistrictWindow",
    "Estimate",
    "EyeService",
    "FieldRead",
    "Judgement",
    "Meter",
    "NotAdoptable",
    "Photograph",
    "Reader",
    "ReaderAnswer",
    "ReaderSign",
    "Reading",
    "ReadingException",
    "Register",
    "Review",
    "ReviewClosed",
    "ReviewTaken",
    "Route",
    "Rule",
    "Season",
    "ServicePoint",
    "ShadowReading",
    "Submission",
    "TrueUp",
    "UsualUse",
    "ValidationSetting",
    "VisitQuestion",
]
