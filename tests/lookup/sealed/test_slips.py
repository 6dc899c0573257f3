"""A key on paper comes back as it was, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookup.sealed.slips import Slip, SlipUnreadable, read_slip, write_slip

SLIP = Slip("thpt-2026", 2, 17, bytes(range(32)))
SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
slips = st.builds(
    Slip,
    st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True),
    st.integers(1, 10**9 - 1),
    st.integers(1, 10**18 - 1),
    st.binary(min_size=32, max_size=32),
)


@given(slips)
def test_a_slip_is_read_as_it_was_written(slip):
    assert read_slip(write_slip(slip)) == slip


def test_it_is_three_short_lines_without_signs_that_look_alike():
    title, *groups = write_slip(SLIP).splitlines()
    assert title == "BAO-DANH-1 thpt-2026 2 17"
    assert [len(line.split()) for line in groups] == [7, 7]
    assert set("".join(groups)) - {" "} <= set(SIGNS)


@pytest.mark.parametrize(
    "typed",
    [
        lambda text: text.lower(),
        lambda text: "\n  " + text.replace("\n", "\r\n") + " \n\n",
        lambda text: text.replace(" ", "  "),
        lambda text: text.partition(" ")[2],
        lambda text: "\n".join([text.splitlines()[0], text.partition("\n")[2].replace(" ", "-")]),
        lambda text: "\n".join([text.splitlines()[0], text.partition("\n")[2].replace("0", "o").replace("1", "l")]),
    ],
)
def test_how_somebody_types_it_makes_no_difference(typed):
    assert read_slip(typed(write_slip(SLIP))) == SLIP


@given(slips, st.data())
def test_one_sign_misheard_is_noticed_and_its_group_named(slip, data):
    title, _, groups = write_slip(slip).partition("\n")
    place = data.draw(st.integers(0, 69))
    signs = list(groups.replace("\n", " ").replace(" ", ""))
    signs[place] = data.draw(st.sampled_from([sign for sign in SIGNS if sign != signs[place]]))
    with pytest.raises(SlipUnreadable) as refused:
        read_slip(f"{title} {''.join(signs)}")
    assert refused.value.group == place // 5 + 1


@given(slips, st.data())
def test_two_signs_or_two_groups_in_each_others_place_are_noticed(slip, data):
    title, _, groups = write_slip(slip).partition("\n")
    parts = groups.split()
    first, second = data.draw(st.lists(st.integers(0, 13), min_size=2, max_size=2, unique=True))
    parts[first], parts[second] = parts[second], parts[first]
    if parts != groups.split():
        with pytest.raises(SlipUnreadable):
            read_slip(f"{title} {' '.join(parts)}")
    signs, place = list("".join(groups.split())), data.draw(st.integers(0, 68))
    signs[place], signs[place + 1] = signs[place + 1], signs[place]
    if signs != list("".join(groups.split())):
        with pytest.raises(SlipUnreadable):
            read_slip(f"{title} {''.join(signs)}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "BAO-DANH-1",
        "thpt-2026 2 17",
        "thpt-2026 2 17 ABC",
        "thpt-2026 two 17 " + "0" * 70,
        "\0" * 99,
        "U" * 200,
    ],
)
def test_what_is_no_slip_is_refused(text):
    with pytest.raises(SlipUnreadable):
        read_slip(text)


@pytest.mark.parametrize("other", [("thpt-2025", 2, 17), ("thpt-2026", 3, 17), ("thpt-2026", 2, 18)])
def test_a_slip_is_for_its_exam_generation_and_file(other):
    _, _, groups = write_slip(SLIP).partition("\n")
    with pytest.raises(SlipUnreadable):
        read_slip(f"{other[0]} {other[1]} {other[2]}\n{groups}")
