"""People and what is said; what is owed, to whom, by whom, by when; cases."""

from rasd.desk.models.account import AccountDay, AccountMark, AccountStretch
from rasd.desk.models.breaches import Breach
from rasd.desk.models.calendars import Calendar, OpenSpan, Season, SpecialDay, Weekday
from rasd.desk.models.case_kinds import CaseKind
from rasd.desk.models.case_records import CaseEntry, FormerToken, Rating
from rasd.desk.models.cases import Case
from rasd.desk.models.claims import CannedAnswer, Claim, Draft, HeldAnswer, SavedView
from rasd.desk.models.contacts import Contact, ContactAddress, Merge
from rasd.desk.models.conversations import Conversation, HandOver, Message
from rasd.desk.models.notices import Escalation, EscalationStep, Notice
from rasd.desk.models.obligations import Obligation
from rasd.desk.models.queues import Matter, Queue, Target
from rasd.desk.models.staff import Absence, Employee, Skill
from rasd.desk.models.standards import Standard

__all__ = [
    "Absence",
    "AccountDay",
    "AccountMark",
    "AccountStretch",
    "Breach",
    "Calendar",
    "CannedAnswer",
    "Case",
    "CaseEntry",
    "CaseKind",
    "Claim",
    "Contact",
    "ContactAddress",
    "Conversation",
    "Draft",
    "Employee",
    "Escalation",
    "EscalationStep",
    "FormerToken",
    "HandOver",
    "HeldAnswer",
    "Matter",
    "Merge",
    "Message",
    "Notice",
    "Obligation",
    "OpenSpan",
    "Queue",
    "Rating",
    "SavedView",
    "Season",
    "Skill",
    "SpecialDay",
    "Standard",
    "Target",
    "Weekday",
]
