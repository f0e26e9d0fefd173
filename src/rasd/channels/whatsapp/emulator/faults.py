"""Trouble made on purpose: what a client must survive and seldom meets while it is being written."""

import dataclasses
from dataclasses import dataclass, field


class FaultSpecError(ValueError):
    """A fault that does not exist or a value of the wrong kind; the words name the field and the mend."""


@dataclass
class InjectedError:
    """The next ``times`` sends (-1: all) answer ``code``; only those to ``to`` (digits or user id) where it is given.

    ``via`` is ``response`` (the HTTP answer is the error) or ``webhook`` (accepted, then a ``failed`` status), as Meta does
    both.
    """

    code: int
    times: int = 1
    to: str = ""
    via: str = "response"


@dataclass
class Faults:
    """All off by default, save that limits are enforced. Rates are probabilities from 0 to 1; times are seconds.

    Webhooks: ``duplicate_rate`` (the update comes twice), ``reorder`` (each update is held back for a random time up to this,
    so that they overtake each other), ``delay`` (each is held back for this), ``paused``, ``skip_delivered_rate`` (Meta may
    leave ``delivered`` out), ``wrong_signatures`` (the next N calls are signed with a wrong secret).
    Business API: ``latency`` (before each answer), ``errors``, ``die_after_accepting`` (the next N sends are accepted and the
    connection is dropped without an answer), ``media_failures`` (the next N downloads fail, -1: all) with
    ``media_status``, ``media_lookup_failures`` (the same for looking a media id up).
    ``webhook_codes`` are reported by webhook where the emulator finds them itself; the others in the HTTP answer.
    """

    duplicate_rate: float = 0.0
    reorder: float = 0.0
    delay: float = 0.0
    paused: bool = False
    skip_delivered_rate: float = 0.0
    wrong_signatures: int = 0
    latency: float = 0.0
    errors: list[InjectedError] = field(default_factory=list)
    die_after_accepting: int = 0
    media_failures: int = 0
    media_status: int = 500
    media_lookup_failures: int = 0
    enforce_limits: bool = True
    webhook_codes: list[int] = field(default_factory=lambda: [131026])

    def update(self, changes: dict) -> None:
        """Sets the named faults and leaves the others.

        Raises:
            FaultSpecError: a name is unknown or a value of the wrong kind. Nothing has been changed then.
        """
        known = {f.name for f in dataclasses.fields(self)}
        ready: dict = {}
        for name, value in changes.items():
            if name not in known:
                raise FaultSpecError(f"{name}: no such fault. There are: {', '.join(sorted(known))}.")
            ready[name] = _errors(value) if name == "errors" else _like(name, value, getattr(self, name))
        for name, value in ready.items():
            setattr(self, name, value)

    def take_error(self, recipient: str) -> InjectedError | None:
        """The error that this send to ``recipient`` must meet, counted down."""
        for error in self.errors:
            if error.times and (not error.to or error.to == recipient):
                if error.times > 0:
                    error.times -= 1
                return error
        return None

    def take(self, name: str) -> bool:
        """True where the countdown ``name`` is not used up (one is then spent; -1 never is)."""
        left = int(getattr(self, name))
        if left > 0:
            setattr(self, name, left - 1)
        return left != 0


def _errors(value: object) -> list[InjectedError]:
    if not isinstance(value, list):
        raise FaultSpecError('errors: give a list like [{"code": 131056, "times": 2}].')
    errors = []
    for row, spec in enumerate(value):
        try:
            error = InjectedError(**spec)
            error.code, error.times = int(error.code), int(error.times)
        except (TypeError, ValueError) as e:
            raise FaultSpecError(f"errors[{row}]: {e}. Fields: code, times, to, via.") from None
        if error.via not in {"response", "webhook"}:
            raise FaultSpecError(f"errors[{row}].via: {error.via!r} is neither 'response' nor 'webhook'.")
        errors.append(error)
    return errors


def _like(name: str, value: object, example: object) -> object:
    if isinstance(example, bool):
        if isinstance(value, bool):
            return value
    elif isinstance(example, list):
        if isinstance(value, list) and all(isinstance(v, int) for v in value):
            return value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if name.endswith("_rate") and not 0 <= value <= 1:
            raise FaultSpecError(f"{name}: {value} is not a probability between 0 and 1.")
        return int(value) if isinstance(example, int) else float(value)
    raise FaultSpecError(f"{name}: {value!r} should be of the kind {example!r}.")
