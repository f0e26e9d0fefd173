"""By whose leave a visit is paid: the owner's permission and the place's own rules for robots, asked at every door.

Asked are top-level navigations, forms that are sent, letters, messages and plain requests. What a page itself draws from
elsewhere (scripts, pictures, frames of third parties) is what any browser fetches that opens it, and is not asked for.
"""

from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict

from rasd.watch.permission import Permission, Refusal, Why, permitted
from rasd.watch.places import NotPlain, Resolve, addresses_of, place
from rasd.watch.robots import BROWSER, UNREAD, lets


class Leave(BaseModel):
    """What the playing process is given. As it stands without anything: loopback, and nothing else."""

    model_config = ConfigDict(frozen=True)
    permission: Permission | None = None
    robots: dict[str, str] = {}
    """Origin → its robots.txt in force."""
    at: AwareDatetime | None = None
    """When the visit began: one that began in time may end."""

    def refusal(
        self,
        url: str,
        *,
        sends: bool = False,
        user_agent: str = BROWSER,
        resolve: Resolve = addresses_of,
    ) -> Refusal | None:
        """Why ``url`` must not be asked for; None: it may be. ``sends``: a form, a letter, a message."""
        answer = permitted(url, self.permission, self.at or datetime.now(UTC), sends=sends, resolve=resolve)
        if isinstance(answer, Refusal):
            return answer
        try:
            origin = place(url).origin
        except NotPlain:  # a mailbox or a messenger
            return None
        rules = self.robots.get(origin, "")
        if rules == UNREAD:
            return Refusal(
                Why.UNREAD, f"{origin}/robots.txt could not be read: until it can, nothing is asked for there"
            )
        if not lets(rules, url, user_agent):
            return Refusal(Why.ROBOTS, f"{origin}/robots.txt keeps robots out of {url}")
        return None
