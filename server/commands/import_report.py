"""What an import found and did, as the operator reads it on a terminal or in a log."""

import re

from lookup.score_import import ImportSummary
from lookup.score_problems import MESSAGES, Problem

# A file could carry what moves the cursor, changes the title or turns the line around.
_COMMANDS_A_TERMINAL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def print_summary(summary: ImportSummary) -> None:
    """Remarks and conversions first, then every problem by row and column, then the counts and what was done."""
    for remark in summary.remarks:
        say(remark)
    _print_conversions(summary)
    for problem in summary.problems:
        say(_line(problem))
    if summary.unlisted:
        print(f"... and {summary.unlisted} more, counted below.")
    for code, count in sorted(summary.counts.items()):
        print(f"{MESSAGES[code].title}: {count}")
    say(_conclusion(summary))


def _print_conversions(summary: ImportSummary) -> None:
    if summary.conversions:
        print("Converted, for example:" if summary.converted else "It would become, for example:")
    for example in summary.conversions:
        say(f"  row {example.row}: {example.before} -> {example.after}")


def _line(problem: Problem) -> str:
    severity = "error" if problem.is_error else "warning"
    where = f"row {problem.row}, {problem.heading}" if problem.heading else f"row {problem.row}"
    return f"{severity}: {where if problem.row else 'file'}: {problem.sentence()}"


def _conclusion(summary: ImportSummary) -> str:
    read = f"{summary.file_name}: {_counted(summary.rows, 'row')} read"
    if summary.composed_names:
        read += f", {_counted(summary.composed_names, 'name')} put into Unicode NFC"
    if summary.padded_numbers:
        read += f", {_counted(summary.padded_numbers, 'number')} filled up with zeros"
    warnings = _counted(summary.warning_count, "warning")
    if summary.error_count:
        return f"{read}, {_counted(summary.error_count, 'error')}, {warnings}. Nothing was stored."
    told = f"{read}, {summary.new} new, {summary.changed} changed, {summary.unchanged} unchanged"
    if summary.warning_count:
        told += f", {warnings}"
    return f"{told}. {_outcome(summary)}"


def _outcome(summary: ImportSummary) -> str:
    if summary.dry_run:
        reason = " The real import needs --reason." if summary.needs_reason else ""
        return f"Dry run: nothing was stored.{reason}"
    if summary.batch_id is None:
        return "Nothing to store."
    return f"Stored; not public until: baodanh scores release {summary.exam_code}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def say(line: str) -> None:
    """Print what may repeat a file's cells."""
    print(_COMMANDS_A_TERMINAL.sub("\N{REPLACEMENT CHARACTER}", line))
