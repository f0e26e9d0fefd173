"""What can go wrong at the doors, and whether trying again can help."""

from datetime import timedelta


class ChannelError(Exception):
    """The channel refused, or could not be reached.

    Attributes:
        code: the channel's own number of the error; None where it gave none.
        permanent: trying again cannot help.
        retry_after: how long the channel asks to wait; None where it does not say.
        unanswered: we cannot know whether the channel did what was asked: the call went out and no answer came back.
    """

    def __init__(
        self,
        message: str,
        *,
        code: int | None = None,
        permanent: bool,
        retry_after: timedelta | None = None,
        unanswered: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.permanent = permanent
        self.retry_after = retry_after
        self.unanswered = unanswered


class SortingFailed(Exception):
    """Something in a delivery could not become a row through no fault of its own; sorting it again may help."""
