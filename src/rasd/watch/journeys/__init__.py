"""The journey language: who comes, where, what he does in his own words, and what counts as done."""

from rasd.watch.journeys.language import Journey, Persona
from rasd.watch.journeys.parsing import Mistake, NotAJourney, parse, read
from rasd.watch.journeys.steps import Step
from rasd.watch.journeys.written import Channel

__all__ = ["Channel", "Journey", "Mistake", "NotAJourney", "Persona", "Step", "parse", "read"]
