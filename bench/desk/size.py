"""How big the desk is, and who is who in it: everything follows from a conversation's number, so that nothing is looked up."""

from dataclasses import dataclass

QUEUES = ("First line", "Billing", "Complaints", "Meters", "Outages", "New supplies", "Photographs", "Moves")
"""The first and the seventh are those that the conductor names itself."""

LINES = 4
SAID = 8  # messages of a conversation: theirs and ours by turns
EACH_OWES = 8  # conversations of an agent: as many as are given to one
WAITING = 5  # in a hundred of those owed: with no agent yet
CONVERSATIONS_OF_ONE = 3.3  # of a customer, in all the years
DAYS = 730
SPREAD = 30.0  # seconds over which the agents sit down


@dataclass(frozen=True)
class Size:
    conversations: int
    agents: int

    @property
    def messages(self) -> int:
        return self.conversations * SAID

    @property
    def customers(self) -> int:
        return max(1, round(self.conversations / CONVERSATIONS_OF_ONE))

    @property
    def open(self) -> int:
        """The newest so many are not closed: one in fifty, and each another customer's."""
        return min(self.customers, max(self.owed, self.conversations // 50))

    @property
    def owed(self) -> int:
        """Of the newest so many an answer is owed."""
        return min(self.customers, round(self.agents * EACH_OWES * (1 + WAITING / 100)))

    @property
    def first_open(self) -> int:
        return self.conversations - self.open + 1

    @property
    def first_owed(self) -> int:
        return self.conversations - self.owed + 1

    def customer_of(self, conversation: int) -> int:
        return (conversation - 1) % self.customers + 1

    def agent_of(self, conversation: int) -> int | None:
        """Who answered it, or owes it; None: it waits in its queue."""
        waits = conversation > self.conversations - (self.owed - self.agents * EACH_OWES)
        return None if waits else conversation % self.agents + 1

    def of_agent(self, agent: int) -> list[int]:
        """What ``agent`` owes."""
        return [n for n in range(self.first_owed, self.conversations + 1) if self.agent_of(n) == agent]


def phone(customer: int) -> str:
    """E.164 with +; of no plan that Oman has."""
    return f"+96870{customer:07d}"


def username(agent: int) -> str:
    return f"agent{agent}"
