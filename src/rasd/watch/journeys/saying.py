"""A step in words, as the report and the film strip write it: templates unfilled, so that no value of a visit is in it."""

from rasd.watch.journeys.steps import Step


def said(step: Step) -> str:
    """``press: Submit a ticket``; what a step says besides its verb follows in brackets."""
    data = step.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    about = _words(data.pop(step.verb))
    rest = ", ".join(f"{key}: {_words(value)}" for key, value in data.items() if key != "note")
    return f"{step.verb}: {about}" + (f" ({rest})" if rest else "")


def _words(value: object) -> str:
    if isinstance(value, dict):
        if set(value) == {"name"}:
            return str(value["name"])
        return ", ".join(f"{key}: {_words(each)}" for key, each in value.items() if each is not None)
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    return str(value)
