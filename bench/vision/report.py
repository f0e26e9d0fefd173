"""What was measured, as tables: on the terminal, as JSON lines, and as a folder with pictures."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as RichTable

from bench.vision.labels import Labels
from bench.vision.measures import DECISIONS, Outcome, groups, summary, timing
from bench.vision.runner import Run
from bench.vision.sheets import errors, shown, write_sheets

EYE, HISTORY = "rasd", "rasd with a MADE-UP history"
WIDTH = 150  # characters, wide enough that no cell is broken


@dataclass
class Measured:
    """One folder, measured. `runs` and `outcomes` by the reader's name, Rasd first."""

    labels: Labels
    runs: dict[str, Run] = field(default_factory=dict)
    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    """Readers that were to be measured and are not there, with the reason."""
    load: tuple[float, float] = (0.0, 0.0)
    """The machine's load average before and after: figures of time mean little where it is above its cores."""
    cores: int = 1

    @property
    def name(self) -> str:
        return self.labels.folder.resolve().name

    def add(self, name: str, run: Run) -> None:
        by_name = {picture.name: picture for picture in self.labels.pictures}
        self.runs[name] = run
        self.outcomes[name] = [Outcome.of(by_name[path], answer) for path, answer in run.answers.items()]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """Every figure as JSON's types, one row a group or reader; ``table`` says which."""
        eye = self.outcomes.get(EYE, [])
        rows = [{"table": "labels", "read": len(eye), "problems": len(self.labels.problems),
                 "unlabelled_left_out": self.labels.unlabelled}]  # fmt: skip
        for by in ("source", "kind"):
            rows += [{"table": by, by: name, **summary(part)} for name, part in groups(eye, by).items()]
        rows.append({"table": "all", **summary(eye)})
        if HISTORY in self.outcomes:
            same = _only(eye, self.outcomes[HISTORY])
            rows.append({"table": "history", "history": False, **summary(same)})
            rows.append({"table": "history", "history": True, **summary(self.outcomes[HISTORY])})
        for name, outcomes in self.compared.items():
            rows.append({"table": "readers", "reader": name, **summary(outcomes)})
        rows += [{"table": "readers", "reader": name, "missing": why} for name, why in self.missing.items()]
        for name, run in self.runs.items():
            rows.append(
                {
                    "table": "cost",
                    "reader": name,
                    "called": run.called,
                    "pictures": len(run.answers),
                    "finished": run.finished,
                    "peak_mb": run.peak_mb,
                    "weights_mb": run.weights_mb,
                    "load_ms": run.load_ms,
                    **timing(self.outcomes[name]),
                }
            )
        return [{"folder": self.name, **row} for row in rows]

    @property
    def compared(self) -> dict[str, list[Outcome]]:
        """Rasd and its peers on the pictures that all of them were given."""
        readers = {name: found for name, found in self.outcomes.items() if name != HISTORY and found}
        names = [{outcome.label.name for outcome in found} for found in readers.values()]
        common = set.intersection(*names) if names else set()
        return {name: [o for o in found if o.label.name in common] for name, found in readers.items()}


@dataclass
class Table:
    title: str
    note: str
    columns: Sequence[str]
    rows: list[list[str]]


def tables(measured: Measured) -> list[Table]:
    rows = measured.rows
    found = [_right(rows), _decided(rows)]
    if any(row.get("nothing_to_read") for row in rows):
        found.append(_nothing(rows))
    if any(row["table"] == "history" for row in rows):
        found.append(_history(rows))
    found += [_readers(rows), _cost(rows, measured)]
    return [table for table in found if table.rows]


def gap(all_measured: Sequence[Measured]) -> Table | None:
    """The first folder beside the others, whole and by kind, since the mix differs: of real and rendered pictures the gap
    tells how far figures of rendered ones can be believed."""
    if len(all_measured) < 2:
        return None
    kinds: list[dict[str, list[Outcome]]] = []
    for measured in all_measured:
        eye = measured.outcomes.get(EYE, [])
        by_kind = {
            kind: part for kind, part in groups(eye, "kind").items() if any(o.label.reading for o in part)
        }
        kinds.append({"all": eye, **by_kind})
    rows = []
    for kind in (kind for kind in kinds[0] if all(kind in found for found in kinds)):
        first = summary(kinds[0][kind])
        for measured, found in zip(all_measured, kinds, strict=True):
            held = summary(found[kind])
            rows.append(
                [
                    f"{kind}: {measured.name}", str(held["with_reading"]), _percent(held["exact"]),
                    _interval(held["exact_interval"]), _points(held["exact"], first["exact"]),
                    _percent(held["whole_right"]), _points(held["whole_right"], first["whole_right"]),
                    _percent(held["answered_at_99"]), _points(held["answered_at_99"], first["answered_at_99"]),
                ]
            )  # fmt: skip
    note = f"Per cent, and points beside {all_measured[0].name}."
    return Table(
        "The gap", note, ("", "readings", "exact", "95 %", "gap", "whole", "gap", "@99", "gap"), rows
    )


def _right(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "What is right",
        "Per cent. exact: every digit, and the point where the label has one. digits: wherever the point. whole: exact, or right "
        "before the point. by meter: exact, each meter counting once. unread: nothing read. @99, @95: the largest share "
        "answered, surest first, of which 99 % or 95 % are exact (chosen on these pictures). ECE: calibration error.",
        ("", "readings", "exact", "95 %", "digits", "whole", "meters", "by meter", "unread", "@99", "@95", "ECE", "Brier"),
        [
            [
                _name(row), str(row["with_reading"]), _percent(row["exact"]), _interval(row["exact_interval"]),
                _percent(row["digits_right"]), _percent(row["whole_right"]), str(row["meters"] or "-"),
                _percent(row["exact_by_meter"]), _percent(row["nothing_read"]), _percent(row["answered_at_99"]),
                _percent(row["answered_at_95"]), f"{row['ece']:.3f}", f"{row['brier']:.3f}",
            ]
            for row in rows
            if row["table"] in {"source", "kind", "all"} and row["with_reading"]
        ],
    )  # fmt: skip


def _decided(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "What the product decides, knowing neither register nor history",
        "Per cent of all pictures. accepted right: exact among the accepted; a picture with nothing to read is never right.",
        ("", "pictures", *DECISIONS, "accepted right", "95 %"),
        [_decisions(_name(row), row) for row in rows if row["table"] in {"source", "kind", "all"}],
    )


def _nothing(rows: list[dict[str, Any]]) -> Table:
    return Table(
        "Pictures with nothing to read",
        "left alone: neither accepted nor asked about.",
        ("", "pictures", "left alone", "95 %"),
        [
            [_name(row), str(row["nothing_to_read"]), _percent(row["left_alone"]), _interval(row["left_alone_interval"])]
            for row in rows
            if row["table"] in {"source", "kind", "all"} and row["nothing_to_read"]
        ],
    )  # fmt: skip


def _history(rows: list[dict[str, Any]]) -> Table:
    found = []
    for row in rows:
        if row["table"] == "history":
            name = "made-up history, register told" if row["history"] else "neither"
            found.append(
                [name, _percent(row["exact"]), _percent(row["whole_right"]), _percent(row["answered_at_99"]),
                 f"{row['ece']:.3f}", *_decisions("", row)[1:]]
            )  # fmt: skip
    return Table(
        "With a MADE-UP history",
        "Six months that fit the label, with noise; seeded. Real histories are less kind. The same pictures in both rows.",
        ("", "exact", "whole", "@99", "ECE", "pictures", *DECISIONS, "accepted right", "95 %"),
        found,
    )


def _readers(rows: list[dict[str, Any]]) -> Table:
    found = []
    for row in rows:
        if row["table"] == "readers":
            if "missing" in row:
                found.append([row["reader"], row["missing"], *["-"] * 7])
                continue
            found.append(
                [row["reader"], str(row["with_reading"]), _percent(row["exact"]), _interval(row["exact_interval"]),
                 _percent(row["digits_right"]), _percent(row["whole_right"]), _percent(row["answered_at_99"]),
                 _percent(row["answered_at_95"]), _percent(row["anywhere"]) if row["reader"] != EYE else "-"]
            )  # fmt: skip
    return Table(
        "Beside others, on the same pictures",
        "RapidOCR and Tesseract: the tallest line of digits alone (the rule: bench/vision/child.py, choose). anywhere: the "
        "digits stand in some line, had a perfect rule chosen.",
        ("", "readings", "exact", "95 %", "digits", "whole", "@99", "@95", "anywhere"),
        found,
    )


def _cost(rows: list[dict[str, Any]], measured: Measured) -> Table:
    figures = (
        "median_ms", "quarter_ms", "three_quarters_ms", "p95_ms", "max_ms",
        "cpu_median_ms", "decode_median_ms", "load_ms", "peak_mb",
    )  # fmt: skip
    found = []
    for row in rows:
        if row["table"] == "cost" and row["pictures"]:
            name = row["called"] + (" with history" if row["reader"] == HISTORY else "")
            found.append(
                [
                    name + ("" if row["finished"] else " (interrupted)"),
                    str(row["pictures"]),
                    *(_number(row[figure]) for figure in figures),
                    f"{row['weights_mb']:.1f}",
                ]
            )
    before, after = measured.load
    return Table(
        "Milliseconds a picture and memory, each reader in a process of its own on one core",
        f"From the file's bytes to the answer. cpu: median of processor time, which other work on the machine hardly "
        f"touches. load: loading the models, once. MB: most resident, the whole process; weights: files that it opened. "
        f"Load average {before:.1f} before, {after:.1f} after, on {measured.cores} cores"
        + (": A BUSY MACHINE, go by cpu." if max(before, after) > measured.cores - 0.5 else "."),
        ("", "pictures", "median", "25 %", "75 %", "95 %", "max", "cpu", "decode", "load", "MB", "weights MB"),
        found,
    )  # fmt: skip


def _decisions(name: str, row: dict[str, Any]) -> list[str]:
    right = f"{row['accepted_right']} of {row['accepted']}"
    interval = _interval(row["accept_interval"]) if row["accepted"] else "-"
    return [name, str(row["pictures"]), *(_percent(row[name]) for name in DECISIONS), right, interval]


def _name(row: dict[str, Any]) -> str:
    return "all" if row["table"] == "all" else f"{row['table']}: {row[row['table']]}"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"


def _interval(interval: tuple[float, float]) -> str:
    return f"{100 * interval[0]:.1f}-{100 * interval[1]:.1f}"


def _points(share: float | None, other: float | None) -> str:
    return "-" if share is None or other is None else f"{100 * (share - other):+.1f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _only(outcomes: list[Outcome], others: list[Outcome]) -> list[Outcome]:
    names = {outcome.label.name for outcome in others}
    return [outcome for outcome in outcomes if outcome.label.name in names]


def as_text(table: Table) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, color_system=None)
    rich = RichTable(
        box=SIMPLE_HEAD, title=table.title, title_justify="left", caption=table.note, caption_justify="left"
    )
    for number, column in enumerate(table.columns):
        rich.add_column(column, justify="left" if number == 0 else "right", overflow="fold")
    for row in table.rows:
        rich.add_row(*row)
    console.print(rich)
    return console.file.getvalue()  # type: ignore[attr-defined]


def write_folder(measured: Measured, folder: Path, more: Sequence[Table] = ()) -> None:
    """`index.html` with the tables, the charts and every error; `readings.csv` and `figures.jsonl` beside it."""
    from bench.vision.charts import write_charts

    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("errors-*.png"):
        old.unlink()  # a run with fewer errors leaves none of the last one's pages
    eye = measured.outcomes.get(EYE, [])
    charts = write_charts(measured.outcomes, folder) if eye else []
    sheets = write_sheets(eye, folder)
    (folder / "figures.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in measured.rows), encoding="utf-8"
    )
    _write_readings(measured, folder / "readings.csv")
    body = [f"<h1>The eye on {escape(measured.name)}</h1>"]
    body += [_html(table) for table in (*tables(measured), *more)]
    body += [f'<img src="{chart.name}" alt="{chart.stem}">' for chart in charts]
    body.append(
        f"<h2>Every error, the surest first: {len(errors(eye))}</h2><p>Label → what was read (confidence).</p>"
    )
    body += [f'<p><img src="{sheet.name}" alt="{sheet.stem}" style="max-width:100%"></p>' for sheet in sheets]
    if measured.labels.problems:
        body.append("<h2>Left out</h2><ul>")
        body += [f"<li>{escape(problem)}</li>" for problem in measured.labels.problems] + ["</ul>"]
    style = (
        "body{font:15px/1.4 system-ui,sans-serif;margin:2rem;max-width:75rem}table{border-collapse:collapse;margin:.5rem 0}"
        "td,th{padding:.15rem .6rem;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child"
        "{text-align:left}h2{margin-top:2rem}p{max-width:60rem;color:#444}"
    )
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>The eye on {escape(measured.name)}</title><style>{style}</style>{''.join(body)}</html>\n",
        encoding="utf-8",
    )


def _write_readings(measured: Measured, path: Path) -> None:
    """A row a picture: the label and, for each reader, what it read, how sure, what it decided, and whether exact."""
    by_name = {
        name: {outcome.label.name: outcome for outcome in found} for name, found in measured.outcomes.items()
    }
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["path", "label", "source", "kind", "meter"]
            + [f"{name} {what}" for name in by_name for what in ("read", "confidence", "decision", "exact", "ms", "error")]
        )  # fmt: skip
        for picture in measured.labels.pictures:
            cells = [picture.name, picture.reading, picture.source, picture.kind, picture.meter]
            for found in by_name.values():
                if (outcome := found.get(picture.name)) is None:
                    cells += [""] * 6
                    continue
                cells += [shown(outcome), f"{outcome.confidence:.4f}", outcome.decision,
                          str(int(outcome.exact)), f"{outcome.wall_ms:.0f}", outcome.error]  # fmt: skip
            rows.writerow(cells)


def _html(table: Table) -> str:
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return f"<h2>{escape(table.title)}</h2><table><tr>{head}</tr>{rows}</table><p>{escape(table.note)}</p>"
