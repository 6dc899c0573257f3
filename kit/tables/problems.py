"""Why a file cannot be read as a table, in words: a code for programs, one sentence with the remedy for people."""

from typing import Any

from kit.errors import UsageError

_SENTENCES = {
    "missing": "There is no file {file}. Check the name and the folder.",
    "not_a_file": "{file} is a folder or a device, not a file. Name the CSV or XLSX file itself.",
    "unreadable": "{file} may not be read by this account. Change its permissions, or copy it somewhere readable.",
    "read_failed": "{file} could not be read from the disk: {reason}. Copy it again from where it came.",
    "unwritable": "{file} cannot be written: {reason}. Choose another folder, or make room.",
    "no_folder": "{file} cannot be written: the folder {folder} does not exist. Create it, or name another one.",
    "exists": "{file} exists already and is not overwritten. Choose another name, or delete it first.",
    "report_over_source": "The report would overwrite {file}, the file that is read. Choose another name for it.",
    "report_is_no_xlsx": "The report is a workbook: its name must end in .xlsx, and {file} does not.",
    "empty": "{file} is empty. Ask for the file again, or export it again.",
    "not_a_table": "{file} is {found}, not a table. Send the list as XLSX or CSV.",
    "not_text": "{file} is neither a workbook nor text in a known encoding. Export it again as XLSX or CSV UTF-8.",
    "other_workbook": "{file} is {found}. Open it and save it as an Excel workbook (.xlsx), then send that.",
    "encrypted": "{file} is protected by a password. Open it, remove the password, save it, and send it again.",
    "damaged": "{file} is damaged and cannot be opened. Open it in Excel, save it again as .xlsx, and send that.",
    "too_large": "{file} has {size_mb} MB; a workbook may have at most {limit_mb} MB. Send it as CSV, or in parts.",
    "too_large_unpacked": (
        "{file} unpacks to more than {limit_mb} MB. Copy just the rows into a new workbook, or send it as CSV."
    ),
    "too_many_rows": "{file} has more than {limit} rows. Send it as CSV, which has no limit, or in parts.",
    "too_much_memory": (
        "{file} needs more memory than a workbook may take. Copy just the rows into a new workbook, or send it as CSV."
    ),
    "too_slow": "{file} takes too long to read. Copy just the rows into a new workbook, or send it as CSV.",
    "broken_encoding": (
        "Line {line} of {file} is not valid {encoding}: the file was cut off or put together from different files. "
        "Export it again as CSV UTF-8."
    ),
    "unclosed_quote": (
        'Row {row} of {file} has a quotation mark (") out of place. Remove it, or export the file again as CSV UTF-8.'
    ),
    "cell_too_long": "Row {row} of {file} has a cell longer than {limit} characters; a quotation mark may be missing.",
    "header_not_found": (
        "{file} has no heading row that is understood among its first {searched} rows. "
        "Put the names of the columns in one row above the data."
    ),
    "legacy_header": (
        "{file} is written in the old {charset} letters, headings too. "
        "Run the import again with --convert {option}, or save the file as Unicode."
    ),
}


class TableError(UsageError):
    """A file that cannot be read as a table.

    `code` is one of the keys above, `facts` fill in the sentence (`file` is the name without its folder), and
    `str(error)` is one clear English sentence with what to do.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(_SENTENCES[code].format(**facts))
        self.code = code
        self.facts = facts
