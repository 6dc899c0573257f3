"""Files made to hurt, or hurt on the way, are refused in one sentence and take nothing with them."""

import io
import os
import random
import resource
import struct
import zipfile
import zlib

import msgspec
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.tables import Limits, TableError, open_table
from kit.tables.messages import FRAME, LARGEST, Failure, Message, Rows, send
from tests.kit.table_files import HEADER, ROWS, csv_text, is_header, read, write_xlsx

SHEET = "xl/worksheets/sheet1.xml"
STRINGS = "xl/sharedStrings.xml"


@pytest.fixture
def file(tmp_path):
    return write_xlsx(tmp_path / "x.xlsx", [HEADER, *ROWS])


def rebuilt(file, **parts):
    """The same workbook with other content in some of its parts."""
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {{"sheet": SHEET, "strings": STRINGS}.get(name, name): part for name, part in parts.items()}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in content.items():
            archive.writestr(name, part)
    return file


def refusal_of(file, **limits):
    with pytest.raises(TableError) as refusal:
        read(file, limits=Limits(**limits))
    assert str(refusal.value).count("\n") == 0
    return refusal.value.code


def test_a_zip_bomb_is_refused_before_anything_opens_it(file):
    rebuilt(file, bomb=bytes(60 * 2**20))
    assert file.stat().st_size < 100_000
    assert refusal_of(file, max_unpacked_bytes=50 * 2**20) == "too_large_unpacked"


def test_an_archive_that_lies_about_its_sizes_is_refused(file):
    rebuilt(file, sheet=b"<worksheet>" + b" " * 50_000_000 + b"</worksheet>")
    content = bytearray(file.read_bytes())
    claimed = struct.pack("<I", len(b"<worksheet></worksheet>") + 50_000_000)
    assert content.count(claimed) >= 2
    file.write_bytes(content.replace(claimed, struct.pack("<I", 1000)))
    assert refusal_of(file, max_unpacked_bytes=10 * 2**20) == "damaged"


@pytest.mark.parametrize(("claimed", "code"), [(2**20, "too_large_unpacked"), (10, "damaged")])
def test_fifty_entries_that_share_their_bytes_are_counted_each(file, claimed, code):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = packer.compress(bytes(2**20)) + packer.flush()
    name = b"[Content_Types].xml"
    start = struct.pack("<4s22xHH", b"PK\x03\x04", len(name), 0) + name + data
    entry = struct.pack("<4s6xH8xIIH16x", b"PK\x01\x02", 8, len(data), claimed, len(name)) + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 50, 50, 50 * len(entry), len(start), 0)
    file.write_bytes(start + entry * 50 + end)
    assert refusal_of(file, max_unpacked_bytes=20 * 2**20) == code


def test_a_workbook_larger_than_allowed_is_refused_unopened(file):
    rebuilt(file, picture=os.urandom(2**20))
    assert refusal_of(file, max_file_bytes=2**20) == "too_large"


def test_half_a_million_empty_entries_are_refused_by_the_size_of_their_directory(file):
    entry = struct.pack("<4s24xHHH12x", b"PK\x01\x02", 1, 0, 0) + b"x"
    directory = entry * 500_000
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, len(directory), 4, 0)
    file.write_bytes(b"PK\x03\x04" + directory + end)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal_of(file) == "damaged"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_a_sheet_that_claims_the_whole_grid_dies_alone(file):
    rows = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    rebuilt(file, sheet=b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal_of(file) == "too_much_memory"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_one_huge_cell_repeated_is_refused(file):
    strings = b"<sst><si><t>SBD</t></si><si><t>To\xc3\xa1n</t></si><si><t>" + b"x" * 2**20 + b"</t></si></sst>"
    rows = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>' + "".join(
        f'<row r="{i}"><c r="A{i}" t="s"><v>2</v></c><c r="B{i}" t="s"><v>2</v></c></row>' for i in range(32, 2000)
    )
    sheet = f"<worksheet><sheetData>{rows}</sheetData></worksheet>"
    assert refusal_of(rebuilt(file, strings=strings, sheet=sheet.encode())) == "too_much_memory"


@pytest.mark.parametrize("endless", ["x," * 12_000_000, '"\n",' * 6_000_000], ids=["a line", "a record of many lines"])
@pytest.mark.parametrize("before_it", [[], [HEADER], [HEADER, *ROWS * 20]], ids=len)
def test_a_record_without_an_end_costs_no_memory(tmp_path, endless, before_it):
    file = tmp_path / "x.csv"
    file.write_text(csv_text(before_it) + endless)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal_of(file) == "cell_too_long"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60_000


def test_rows_as_long_as_rows_may_be_are_read_a_few_at_a_time(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(csv_text([HEADER, *[[*ROWS[0], *["12345"] * 9000]] * 400]))
    with open_table(file, is_header) as table:
        numbers = [chunk.numbers for chunk in table.chunks()]
    assert [number for chunk in numbers for number in chunk] == list(range(2, 402))
    assert max(map(len, numbers)) < 100


def test_a_message_too_large_to_hold_becomes_a_refusal():
    pipe = io.BytesIO()
    send(pipe, Rows(1, [["x" * (LARGEST + 1)]], {}))
    (size,) = FRAME.unpack(pipe.getvalue()[: FRAME.size])
    message = msgspec.msgpack.decode(pipe.getvalue()[FRAME.size :], type=Message)
    assert size < 100
    assert message == Failure("too_much_memory")


def test_a_process_that_works_too_long_is_ended(file):
    write_xlsx(file, [HEADER, *(ROWS * 20_000)])
    assert refusal_of(file, seconds=0) == "too_slow"


def test_names_for_names_for_names_in_xml_do_not_grow(file):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10}">' for i in range(1, 10))
    part = f'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY e0 "x">{entities}]><workbook>&e9;</workbook>'
    assert refusal_of(rebuilt(file, **{"xl/workbook.xml": part.encode()})) in {"damaged", "too_much_memory", "empty"}


def test_a_locked_workbook_asks_for_the_password_to_be_removed(tmp_path):
    file = tmp_path / "x.xlsx"
    file.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1000) + "EncryptedPackage".encode("utf-16-le"))
    assert refusal_of(file) == "encrypted"


def test_a_locked_archive_is_refused(file):
    content = bytearray(file.read_bytes())
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    file.write_bytes(content)
    assert refusal_of(file) == "encrypted"


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (["word/document.xml", "[Content_Types].xml"], "not_a_table"),
        (["content.xml", "mimetype"], "other_workbook"),
        (["xl/workbook.bin", "[Content_Types].xml"], "other_workbook"),
        (["diem.xlsx"], "not_a_table"),
        (["[Content_Types].xml"], "damaged"),
    ],
)
def test_other_archives_are_told_apart(tmp_path, inside, code):
    file = tmp_path / "x.xlsx"
    with zipfile.ZipFile(file, "w") as archive:
        for name in inside:
            archive.writestr(name, "x")
    assert refusal_of(file) == code


def test_a_file_that_is_not_there_is_named_without_its_folder(tmp_path):
    with pytest.raises(TableError) as refusal:
        open_table(tmp_path / "secret-folder" / "x.csv", is_header)
    assert refusal.value.code == "missing"
    assert "secret-folder" not in str(refusal.value)


def test_a_folder_is_not_a_file(tmp_path):
    assert refusal_of(tmp_path) == "not_a_file"


def test_a_pipe_is_not_a_file_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.csv")
    assert refusal_of(tmp_path / "x.csv") == "not_a_file"


def test_a_file_that_may_not_be_read_says_so(file):
    file.chmod(0)
    file.parent.chmod(0o755)
    effective = os.geteuid()
    if effective == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(TableError) as refusal:
            open_table(file, is_header)
    finally:
        os.seteuid(effective)
    assert refusal.value.code == "unreadable"


@settings(max_examples=40, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"])
)
def test_random_bytes_are_refused_and_nothing_else(tmp_path_factory, content, start):
    path = tmp_path_factory.mktemp("fuzz") / "x.xlsx"
    path.write_bytes(start + content)
    with pytest.raises(TableError):
        read(path)


def test_workbooks_with_some_bytes_changed_are_read_or_refused(file):
    """Most changes are caught by the archive's check; those inside the XML, repacked, reach the reader."""
    chance = random.Random(5)
    with zipfile.ZipFile(file) as archive:
        sheet = archive.read(SHEET)
    for _ in range(12):
        broken = bytearray(sheet)
        for _ in range(chance.randrange(1, 6)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        outcome(rebuilt(file, sheet=bytes(broken)))
    content = file.read_bytes()
    for _ in range(12):
        broken = bytearray(content)
        broken[chance.randrange(len(broken))] = chance.randrange(256)
        file.write_bytes(broken[: chance.randrange(len(broken))] if chance.random() < 0.3 else broken)
        outcome(file)


def outcome(file):
    try:
        return len(read(file)[1])
    except TableError as refusal:
        return refusal.code


def test_what_openpyxl_writes_is_read_as_well(tmp_path):
    book = openpyxl.Workbook()
    for row in [HEADER, *ROWS]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    (tmp_path / "x.xlsx").write_bytes(content.getvalue())
    assert read(tmp_path / "x.xlsx")[1] == [tuple(row) for row in ROWS]
