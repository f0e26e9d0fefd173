"""Twenty reach for the same conversation at the same moment: one has it."""

import asyncio

from django.contrib.auth.models import User

from bench.desk.entering import client, cookies_of, headers_of
from bench.desk.size import Size, username

AT_ONCE = 20


def contested(url: str, size: Size, times: int) -> dict[str, int]:
    """How many of ``times`` conversations were won by exactly one, by the rows and by what the twenty were told."""
    from rasd.desk.models import Claim

    names = [username(n) for n in range(1, min(AT_ONCE, size.agents) + 1)]
    people = [cookies_of(user) for user in User.objects.filter(username__in=names)]
    chosen = [size.conversations - n for n in range(min(times, size.open))]

    async def all_of_it() -> list[int]:
        async with client(url) as asking:
            winners = []
            for conversation in chosen:
                answers = await asyncio.gather(
                    *(
                        asking.post(
                            f"/conversations/{conversation}/take",
                            headers=headers_of(who, "claim", part="conversation"),
                        )
                        for who in people
                    )
                )
                winners.append(sum('data-claim="mine"' in answer.text for answer in answers))
            return winners

    Claim.objects.filter(conversation__in=chosen).delete()
    winners = asyncio.run(all_of_it())
    rows = Claim.objects.filter(conversation__in=chosen).count()
    Claim.objects.filter(conversation__in=chosen).delete()
    return {
        "contested": len(chosen),
        "by": len(people),
        "won_by_one": sum(each == 1 for each in winners),
        "claims": rows,
    }
