"""The journey language: who comes, where, what he does in his own words, and what counts as done."""

from rasd.watch.journeys.language import Channel, Journey, Persona, Step
from rasd.watch.journeys.parsing import Mistake, NotAJourney, parse, read

__all__ = ["Channel", "Journey", "Mistake", "NotAJourney", "Persona", "Step", "parse", "read"]
