"""Pictures without a meter: how often the eye says so, and how often it reads a number where there is none.

Given folders of pictures (labels are not looked at), and always the DRAWN cat, selfie, bill and wall of `bench/_files.py`.
The dangerous ones are those that would be adopted or asked about; to ask for another photograph is the right answer.
"""

import argparse
import statistics
import time
from collections import Counter
from pathlib import Path

from bench import _files
from rasd.vision import Decision, NotAPhotograph, RegisterHint, read_photograph

PICTURES = {".jpg", ".jpeg", ".png", ".webp", ".heic", ".bmp", ".tif", ".tiff", ".gif"}


def drawn() -> dict[str, bytes]:
    made = {"cat": _files.cat(), "selfie": _files.selfie(), "bill": _files.bill(), "wall": _files.wall()}
    return {f"drawn {name}": _files.encoded(image, "JPEG", quality=80) for name, image in made.items()}


def answer_to(data: bytes, register: RegisterHint | None) -> tuple[str, str]:
    """What the customer would be told, and what was read."""
    try:
        reading = read_photograph(data, register=register)
    except NotAPhotograph as refused:
        return f"not a photograph: {refused.code}", ""
    if reading.decision in {Decision.ACCEPT, Decision.CONFIRM}:
        return str(reading.decision), f"{reading.digits} ({reading.confidence:.2f})"
    serious = [one.code for one in reading.findings if one.severity == "serious"]
    if reading.decision is Decision.RETAKE:
        return f"retake: {(serious or [reading.reason])[0]}", reading.digits
    return f"review: {reading.reason}", reading.digits


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="rasd bench no_meter", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument(
        "--digits", type=int, help="what the register shows, as in service; else any number will do"
    )
    parser.add_argument("--each", action="store_true", help="print every picture")
    options = parser.parse_args()
    register = RegisterHint(options.digits) if options.digits else None
    pictures = drawn()
    for folder in options.folders:
        found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
        pictures |= {str(path.relative_to(folder)): path.read_bytes() for path in found}
    answers: Counter[str] = Counter()
    said_none, took = 0, []
    for name, data in pictures.items():
        began = time.perf_counter()
        answer, read = answer_to(data, register)
        took.append(time.perf_counter() - began)
        answers[answer] += 1
        said_none += answer == "retake: no_meter"
        if options.each or name.startswith("drawn") or answer in {"accept", "confirm"}:
            print(f"{name}: {answer} {read}".rstrip())
    count = len(pictures)
    print(f"{count} pictures without a meter, {statistics.median(took):.2f} s each (median)")
    for answer, number in answers.most_common():
        print(f"  {number:4}  {number / count:5.1%}  {answer}")
    wrong = answers["accept"] + answers["confirm"]
    print(
        f"answered as no meter: {said_none / count:.1%}; a number adopted or asked about: {wrong / count:.1%}"
    )


if __name__ == "__main__":
    main()
