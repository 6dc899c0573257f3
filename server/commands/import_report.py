"""What an import found and did, as the operator reads it on a terminal or in a log."""

from lookup.score_import import ImportSummary
from lookup.score_problems import Problem


def print_summary(summary: ImportSummary) -> None:
    """Remarks and conversions first, then every problem by row and column, then the counts and what was done."""
    for remark in summary.remarks:
        print(remark)
    _print_conversions(summary)
    for problem in summary.problems:
        print(_line(problem))
    if summary.unlisted:
        print(f"... and {summary.unlisted} more, counted below.")
    for code, count in sorted(summary.counts.items()):
        print(f"{code}: {count}")
    print(_conclusion(summary))


def _print_conversions(summary: ImportSummary) -> None:
    if summary.conversions:
        print("Converted, for example:")
    for example in summary.conversions:
        print(f"  row {example.row}: {example.before} -> {example.after}")


def _line(problem: Problem) -> str:
    severity = "error" if problem.is_error else "warning"
    where = f"row {problem.row}, {problem.heading}" if problem.heading else f"row {problem.row}"
    return f"{severity}: {where if problem.row else 'file'}: {problem.sentence()}"


def _conclusion(summary: ImportSummary) -> str:
    read = f"{summary.file_name}: {summary.rows} rows read"
    if summary.composed_names:
        read += f", {summary.composed_names} names put into Unicode NFC"
    if summary.padded_numbers:
        read += f", {summary.padded_numbers} numbers filled up with zeros"
    if summary.error_count:
        return f"{read}, {summary.error_count} errors, {summary.warning_count} warnings. Nothing was stored."
    told = f"{read}, {summary.new} new, {summary.changed} changed, {summary.unchanged} unchanged"
    if summary.dry_run:
        return f"{told}. Dry run: nothing was stored."
    if summary.batch_id is None:
        return f"{told}. Nothing to store."
    return f"{told}. Stored; not public until: baodanh scores release {summary.exam_code}"
