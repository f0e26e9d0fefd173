"""What of a report stands in columns too, for the measures. Pure: ``report`` is JSON, so that old ones are read as they were
written, and a column can be held against its report at any time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

SAYS = 500  # characters of a step's words
CLEAN_UP = "clean_up"
STOPPED = {"failed", "gave up"}


def of_the_probe(report: dict[str, Any], zone: str) -> dict[str, Any]:
    began = datetime.fromisoformat(report["began"])
    there = began.astimezone(ZoneInfo(zone))
    errand = [each for each in report["findings"] if each["part"] != CLEAN_UP]
    return {
        "began_at": began,
        "ended_at": datetime.fromisoformat(report["ended"]),
        "day": there.date(),
        "hour": there.weekday() * 24 + there.hour,
        "verdict": report["verdict"],
        "because": report["because"],
        "done_after": _float(report["done_after"]),
        "gave_up_after": None if report["done_after"] is not None else _gave_up_after(errand),
        **_first(errand, "first_answer", "waited"),
        **_first(errand, "person", "waited_for_person"),
        "taken": sum(each["outcome"] == "done" for each in errand),
        "clicks": report["clicks"],
        "typed": report["typed"],
        "asked_again": report["asked_again"],
    }


def _gave_up_after(errand: list[dict[str, Any]]) -> float | None:
    """Seconds from the first step; None where what stopped him in the end was something else than his patience."""
    stops = [each for each in errand if each["outcome"] in STOPPED]
    if not stops or stops[-1]["outcome"] != "gave up":
        return None
    until = datetime.fromisoformat(stops[-1]["began"]) - datetime.fromisoformat(errand[0]["began"])
    return max(0.0, round(until.total_seconds() + stops[-1]["seconds"], 3))


def _first(errand: list[dict[str, Any]], happened: str, in_vain: str) -> dict[str, float | None]:
    """Of the first step that waited for it. What he waited for is named and has no time: it took as long as the step, in vain."""
    for finding in errand:
        if happened in finding["facts"]:
            return _waited(finding, happened, in_vain)
    return {happened: None, in_vain: None}


def _waited(finding: dict[str, Any], happened: str, in_vain: str) -> dict[str, float | None]:
    after = finding["facts"].get(happened)
    is_in_vain = happened in finding["facts"] and after is None
    return {happened: _float(after), in_vain: float(finding["seconds"]) if is_in_vain else None}


def of_its_steps(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for finding in report["findings"]:
        yield {
            "number": finding["number"],
            "part": finding["part"],
            "verb": finding["verb"],
            "says": finding["says"][:SAYS],
            "outcome": finding["outcome"],
            "trouble": finding["trouble"] or "",
            "seconds": float(finding["seconds"]),
            **_waited(finding, "first_answer", "waited"),
            **_waited(finding, "person", "waited_for_person"),
        }


def of_its_exhibits(report: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Of the steps, then of the whole visit."""
    for finding in report["findings"]:
        for exhibit in finding["exhibits"]:
            yield {"step": finding["number"]} | _exhibit(exhibit)
    for exhibit in report["exhibits"]:
        yield {"step": None} | _exhibit(exhibit)


def _exhibit(exhibit: dict[str, Any]) -> dict[str, Any]:
    return {key: exhibit[key] for key in ("kind", "sha256", "media_type", "size")}


def _float(value: Any) -> float | None:
    return None if value is None else float(value)
