"""docs/watch-schedule.md, sentence by sentence, by nothing but Python's own library and one loop after another: a second
opinion on ``rasd.watch.schedule.drawing``, of which it uses nothing. Slow."""

import hmac
import math


def word(key: bytes, label: str, index: int) -> int:
    block = hmac.digest(key, f"{label}/{index // 8}".encode(), "sha256")
    return int.from_bytes(block[4 * (index % 8) : 4 * (index % 8) + 4], "big")


def seconds_of(hour: int, offsets: list[list[int]]) -> list[range]:
    """The stretches of Unix seconds that are this local hour."""
    found = []
    for n, (since, ahead) in enumerate(offsets):
        until = offsets[n + 1][0] if n + 1 < len(offsets) else 2**62
        stretch = range(max(since, 3600 * hour - ahead), min(until, 3600 * (hour + 1) - ahead))
        if len(stretch) > 0:
            found.append(stretch)
    return found


def nth(stretches: list[range], second: int) -> int:
    for stretch in stretches:
        if second < len(stretch):
            return stretch[second]
        second -= len(stretch)
    raise AssertionError("the hour is shorter")


def redraw(seed: str, inputs: dict) -> list[tuple[int, int, str]]:
    """Due (Unix seconds), hour of the week and journey of every visit, in the order of their numbers."""
    key, rotation = bytes.fromhex(seed), bytes.fromhex(inputs["rotation"])
    weeks, journeys, offsets = inputs["weeks"], inputs["journeys"], inputs["offsets"]
    begins, ahead = offsets[0]
    first = (begins + ahead) // 3600
    last = first + 168 * weeks - 1
    stretches = {hour: seconds_of(hour, offsets) for hour in range(first, last + 1)}
    length = {hour: sum(map(len, each)) for hour, each in stretches.items()}

    # 1. Journeys
    def at_night(hour: int) -> bool:
        return not 7 <= hour % 24 < 19

    row = sorted(
        range(168),
        key=lambda hour: (hour // 24, not at_night(hour), word(rotation, "journeys", hour), hour),
    )
    journey = {hour: (place + inputs["turn"]) % len(journeys) for place, hour in enumerate(row)}

    # 2. Weeks
    row = sorted(range(168), key=lambda hour: (hour // 24, journey[hour], word(key, "weeks", hour), hour))
    start = word(key, "weeks", 168) * weeks >> 32
    dealt = {hour: (place + start) % weeks for place, hour in enumerate(row)}

    def place_of(hour: int, week: int) -> int:
        earliest = next(each for each in range(first, first + 168) if (each + 72) % 168 == hour)
        on_the_first_day_a_week_later = earliest // 24 - first // 24 == 7
        return earliest + 168 * ((week - on_the_first_day_a_week_later) % weeks)

    for hour in [each for each in row if not length[place_of(each, dealt[each])]]:
        day = [each for each in row if each // 24 == hour // 24]
        place = day.index(hour)
        for other in day[place + 1 :] + day[:place]:
            mine, his = dealt[hour], dealt[other]
            if mine != his and length[place_of(hour, his)] and length[place_of(other, mine)]:
                dealt[hour], dealt[other] = his, mine
                break
    visits = [
        (place_of(hour, dealt[hour]), 0, journey[hour])
        for hour in range(168)
        if length[place_of(hour, dealt[hour])]
    ]

    # 3. Surprises
    if inputs["visits_a_day"] > math.ceil(24 / weeks):
        days = range(7 * weeks + 1)
        row = sorted(days, key=lambda day: (word(key, "surprise-journeys", day), day))
        for day in days:
            hour = (first // 24 + day) * 24 + (word(key, "surprises", day) * 24 >> 32)
            if length.get(hour, 0) >= 3600:
                visits.append((hour, 1, row.index(day) % len(journeys)))

    # 4. Seconds
    visits.sort()
    due: list[int] = []
    for number, (hour, _, _) in enumerate(visits):
        candidate = inputs["passed_over"].get(str(number), 0)
        while True:
            second = word(key, f"seconds/{candidate}", number) * length[hour] >> 32
            moment = nth(stretches[hour], second)
            if all(abs(moment - earlier) >= inputs["gap"] for earlier in due):
                break
            candidate += 1
        due.append(moment)
    return [
        (moment, (hour + 72) % 168, journeys[which])
        for moment, (hour, _, which) in zip(due, visits, strict=True)
    ]
