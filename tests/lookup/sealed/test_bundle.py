"""A bundle tells nothing to whoever lacks its key, and never answers wrongly: damage is an alarm, not an answer."""

import itertools
import os
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lookup.sealed.bundle import Bundle, check_whole
from lookup.sealed.bundle_format import OFFSET, RECORD_HEAD, BundleBroken
from lookup.sealed.bundle_writer import Entry, Facts, write_bundle
from lookup.sealed.record import Record, decode_record, encode_record
from tests.lookup.sealed.given import SIGNED_BY, SIGNER
from tests.people import MINH, MORNING

KEY = bytes(range(32))
NUMBERS = [f"9900{n:04d}" for n in range(400)]
PARTS = {"facts": b"what all share" * 20}
_names = itertools.count(1)
_in_session = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def facts(**others):
    known = {"exam": "thpt-2026", "generation": 1, "policy": "public", "results": len(NUMBERS)}
    return Facts(opens_at=MORNING, made_at=MORNING - timedelta(days=1), **known | others)


def entries(numbers=NUMBERS):
    for number in numbers:
        yield Entry(number, "", encode_record(Record(number, 1, 0, [1, 1650, 2, 1500], None, MINH.name)))


@pytest.fixture
def write(tmp_path):
    def write(numbers=NUMBERS, key=KEY, signer=SIGNER, **others):
        path = tmp_path / f"{next(_names)}.bundle"
        write_bundle(path, facts(**others), entries(numbers), PARTS, generation_key=key, signer=signer)
        return path

    return write


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "1.bundle"
    write_bundle(path, facts(), entries(), PARTS, generation_key=KEY, signer=SIGNER)
    return path


def ask_everybody(path, signed_by=SIGNED_BY, key=KEY):
    """Who is found, whose answer is another's, and what the file says of itself: a reason, or None."""
    found = []
    try:
        with Bundle(path, signed_by) as bundle:
            for number in NUMBERS:
                record = bundle.find(key, number, "")
                if record is not None:
                    found.append((number, decode_record(record).number))
            bundle.part(key, "facts")
    except BundleBroken as broken:
        return found, broken.reason
    return found, None


def test_everybody_is_found_and_nobody_else(whole):
    found, problem = ask_everybody(whole)
    assert problem is None
    assert found == [(number, number) for number in NUMBERS]
    with Bundle(whole, SIGNED_BY) as bundle:
        assert bundle.find(KEY, "99999999", "") is None
        assert bundle.find(KEY, NUMBERS[0], "2008-02-01") is None
        assert bundle.part(KEY, "facts") == PARTS["facts"]
        assert bundle.fits(KEY)
        assert not bundle.fits(bytes(32))


@_in_session
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_anywhere_is_an_alarm_and_never_an_answer(whole, tmp_path, place, bit):
    content = bytearray(whole.read_bytes())
    content[int(place * len(content))] ^= 1 << bit
    then_it_is_broken_or_right(tmp_path / "damaged", bytes(content))


@_in_session
@given(st.floats(0, 1, exclude_max=True))
def test_a_file_that_is_cut_off_anywhere_is_an_alarm(whole, tmp_path, place):
    content = whole.read_bytes()
    (tmp_path / "cut").write_bytes(content[: int(place * len(content))])
    assert ask_everybody(tmp_path / "cut")[1] is not None
    with pytest.raises(BundleBroken):
        check_whole(tmp_path / "cut", SIGNED_BY)


@_in_session
@given(st.data())
def test_pieces_of_the_file_that_changed_places_are_an_alarm(whole, tmp_path, data):
    content = whole.read_bytes()
    length = data.draw(st.integers(1, 200))
    one, other = sorted(data.draw(st.lists(st.integers(0, len(content) - length), min_size=2, max_size=2, unique=True)))
    if one + length > other:
        return
    swapped = bytearray(content)
    swapped[one : one + length], swapped[other : other + length] = (
        content[other : other + length],
        content[one : one + length],
    )
    then_it_is_broken_or_right(tmp_path / "swapped", bytes(swapped))


def then_it_is_broken_or_right(path, content):
    """Wherever an answer came, it was the right one; and if none of the asked is missing, nothing was lost."""
    path.write_bytes(content)
    found, problem = ask_everybody(path)
    assert all(number == told for number, told in found)
    assert problem is not None or len(found) == len(NUMBERS)


def sections(path):
    with Bundle(path, SIGNED_BY) as bundle:
        return bundle.header, bundle._body


def test_swapped_records_swapped_buckets_and_swapped_parts_are_each_an_alarm(whole, tmp_path):
    header, body = sections(whole)
    content = whole.read_bytes()
    first = body + header.bodies.offset
    length = RECORD_HEAD.size + RECORD_HEAD.unpack_from(content, first)[1]
    records = (first, first + length, length)
    buckets = (body + header.buckets.offset + 40, body + header.buckets.offset + 44, OFFSET.size)
    for one, other, size in (records, buckets):
        swapped = bytearray(content)
        swapped[one : one + size], swapped[other : other + size] = (
            content[other : other + size],
            content[one : one + size],
        )
        (tmp_path / "swapped").write_bytes(swapped)
        found, problem = ask_everybody(tmp_path / "swapped")
        assert problem == "checksum_wrong"
        assert all(number == told for number, told in found)


def test_another_releases_file_another_key_and_another_signer_open_nothing(write):
    path = write()
    assert ask_everybody(path, key=bytes(32)) == ([], "part_does_not_open")
    stranger = Ed25519PrivateKey.generate()
    assert ask_everybody(write(signer=stranger)) == ([], "signature_wrong")
    assert ask_everybody(path, signed_by=stranger.public_key().public_bytes_raw()) == ([], "signature_wrong")


@pytest.mark.parametrize("other", [{"exam": "lop-10"}, {"generation": 2}])
def test_a_body_under_another_releases_header_opens_nothing_though_the_key_were_the_same(write, other, tmp_path):
    one, another = write(), write(**other)
    _, begins = sections(another)
    grafted = another.read_bytes()[:begins] + one.read_bytes()[sections(one)[1] :]
    (tmp_path / "grafted").write_bytes(grafted)
    found, problem = ask_everybody(tmp_path / "grafted")
    assert (found, problem) == ([], "checksum_wrong")


def test_a_record_that_was_sealed_for_another_generation_is_an_alarm_where_it_lies(write, monkeypatch):
    path = write()
    with Bundle(path, SIGNED_BY) as bundle:
        # As if a writer had mixed two generations under a good signature.
        bundle._bound_to = b"thpt-2026\0002"
        with pytest.raises(BundleBroken, match="record_does_not_open"):
            bundle.find(KEY, NUMBERS[0], "")


def test_damage_that_comes_while_the_file_is_held_is_an_alarm_and_not_a_missing_candidate(write):
    path = write()
    with Bundle(path, SIGNED_BY) as bundle:
        assert bundle.find(KEY, NUMBERS[0], "")
        header, body = bundle.header, bundle._body
        with path.open("r+b") as file:
            file.seek(body + header.bodies.offset)
            file.write(bytes(header.bodies.length))
        os.utime(path, ns=(1, 1))
        with pytest.raises(BundleBroken, match="checksum_wrong"):
            bundle.find(KEY, NUMBERS[0], "")


def test_nothing_of_a_number_a_name_or_a_score_stands_in_the_file(whole):
    content = whole.read_bytes()
    packed = [encode_record(Record(number, 1, 0, [1, 1650, 2, 1500], None, MINH.name)) for number in NUMBERS]
    scores = [record[9:17] for record in packed]
    for secret in (*(number.encode() for number in NUMBERS), MINH.name.encode(), *scores, *packed, PARTS["facts"], KEY):
        assert secret not in content


def test_two_files_of_the_same_results_share_no_sealed_bytes(write):
    one, other = (Bundle(write(key=key), SIGNED_BY) for key in (KEY, bytes(32)))
    with one, other:
        pieces = [
            {content[start : start + 8] for start in range(len(content) - 8)}
            for content in (bundle._look(0, bundle.header.bodies.length) for bundle in (one, other))
        ]
    assert not pieces[0] & pieces[1]


def test_a_bundle_is_written_whole_or_not_at_all(tmp_path):
    def breaks_off():
        yield from entries(NUMBERS[:10])
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - whatever it is
        write_bundle(tmp_path / "1.bundle", facts(), breaks_off(), PARTS, generation_key=KEY, signer=SIGNER)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("count", [0, 1, 5])
def test_small_exams_are_bundles_too(write, count):
    with Bundle(write(NUMBERS[:count]), SIGNED_BY) as bundle:
        assert [bool(bundle.find(KEY, number, "")) for number in NUMBERS[:6]] == [n < count for n in range(6)]


def test_a_bundle_takes_less_than_promised_for_each_result(whole):
    # With a name here; a national file is about 57 bytes a result without, and 81 with birth dates and names.
    assert sections(whole)[0].body_length / len(NUMBERS) < 160
