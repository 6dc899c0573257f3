"""Units are found by place, level, kind, and any name they have or had."""

import time
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from units.directory.search import KINDS, LEVELS, ON_A_PAGE, Directory, Wanted, level_of, read_wanted
from units.unit_tree import UnitTree
from units.units import Unit

COMMUNES = {"99001": "Phường Bến Mây", "99002": "Xã Áo Dài", "99003": "Xã Đồng Cao"}


def unit(code: str, name: str, kind: str = "primary", *, managed_by: str | None = "so", **facts) -> Unit:
    return Unit(
        code, kind, name, facts.get("short_name", name), facts.get("name_en", ""), managed_by, "99",
        facts.get("commune"), "", "", "", "", "", None, facts.get("closed_on"), facts.get("succeeded_by"),
    )  # fmt: skip


ROOT = unit("so", "Sở Giáo dục và Đào tạo tỉnh Vân Giang", "department", managed_by=None)
UNITS = [
    ROOT,
    unit("xa-ao-dai", "Ủy ban nhân dân xã Áo Dài", "commune", commune="99002"),
    unit("thpt-hoa-binh", "Trường THPT Hòa Bình", "upper-secondary", commune="99001", name_en="Hoa Binh High School"),
    unit("thpt-chuyen", "Trường THPT chuyên Đặng Huy Trứ", "specialised", commune="99001"),
    unit("th-bui-thi-xuan", "Trường Tiểu học Bùi Thị Xuân", commune="99002"),
    unit("mn-hoa-sen", "Trường Mầm non Hoa Sen", "kindergarten", commune="99003"),
    unit("mn-hoa-dao", "Trường Mầm non Hoa Đào", "kindergarten", commune="99003", closed_on=date(2026, 6, 1),
         succeeded_by="mn-hoa-sen"),
    unit("th-cu", "Trường Tiểu học Cũ", commune="99003", closed_on=date(2025, 6, 1)),
]  # fmt: skip
DIRECTORY = Directory(UnitTree(UNITS), [("thpt-hoa-binh", "Trường Phổ thông Lê Lợi")], COMMUNES.get)


def found(**wanted) -> list[str]:
    listing = DIRECTORY.find(Wanted(**wanted))
    return [line.unit.code for _, lines in listing.groups for line in lines]


def test_everybody_open_stands_by_commune_then_level_then_name():
    listing = DIRECTORY.find(Wanted())
    assert [name for name, _ in listing.groups] == ["", "Phường Bến Mây", "Xã Áo Dài", "Xã Đồng Cao"]
    assert found() == ["so", "thpt-chuyen", "thpt-hoa-binh", "xa-ao-dai", "th-bui-thi-xuan", "mn-hoa-sen"]
    assert (listing.count, listing.total) == (6, 6)


def test_a_name_is_found_without_marks_and_with_old_or_new_tone_marks():
    for text in ("hoa binh", "HÒA BÌNH", "Hoà Bình", "trường hòa  bình"):
        assert found(text=text) == ["thpt-hoa-binh"]
    assert found(text="dang huy tru") == ["thpt-chuyen"]
    assert found(text="high school") == ["thpt-hoa-binh"]
    assert found(text="thpt-chuyen") == ["thpt-chuyen"]


def test_a_former_name_leads_to_the_unit_and_says_so():
    (group,) = DIRECTORY.find(Wanted(text="le loi")).groups
    (line,) = group[1]
    assert (line.unit.code, line.earlier_names) == ("thpt-hoa-binh", ["Trường Phổ thông Lê Lợi"])


def test_a_merged_units_name_leads_to_its_heir():
    (group,) = DIRECTORY.find(Wanted(text="hoa đào")).groups
    (line,) = group[1]
    assert (line.unit.code, line.earlier_names) == ("mn-hoa-sen", ["Trường Mầm non Hoa Đào"])


def test_a_closed_unit_without_an_heir_is_found_by_its_name_only():
    assert found(text="tieu hoc cu") == ["th-cu"]
    assert "th-cu" not in found(commune="99003")


def test_conditions_narrow_one_another():
    assert found(commune="99001") == ["thpt-chuyen", "thpt-hoa-binh"]
    assert found(commune="99001", kind="specialised") == ["thpt-chuyen"]
    assert found(level="upper-secondary") == ["thpt-chuyen", "thpt-hoa-binh"]
    assert found(level="kindergarten", commune="99001") == []
    assert found(text="hoa", level="kindergarten") == ["mn-hoa-sen"]


def test_one_commune_is_grouped_by_level():
    listing = DIRECTORY.find(Wanted(commune="99002"))
    assert [name for name, _ in listing.groups] == ["administration", "primary"]


def test_choices_say_how_many_there_are():
    listing = DIRECTORY.find(Wanted(text="hoa"))
    assert [(choice.value, choice.name, choice.count) for choice in listing.communes] == [
        ("99001", "Phường Bến Mây", 2),
        ("99002", "Xã Áo Dài", 2),
        ("99003", "Xã Đồng Cao", 1),
    ]
    assert [(choice.value, choice.count) for choice in listing.levels] == [
        ("administration", 2),
        ("kindergarten", 1),
        ("primary", 1),
        ("upper-secondary", 2),
    ]


def test_only_those_an_officer_may_see_are_listed_and_counted():
    listing = DIRECTORY.find(Wanted(), among={"thpt-chuyen", "th-bui-thi-xuan"})
    assert [line.unit.code for _, lines in listing.groups for line in lines] == ["thpt-chuyen", "th-bui-thi-xuan"]
    assert (listing.total, [choice.value for choice in listing.communes]) == (2, ["99001", "99002"])


def test_a_commune_that_the_states_list_does_not_know_is_called_by_who_governs_it():
    assert Directory(UnitTree(UNITS)).commune_name("99002") == "Ủy ban nhân dân xã Áo Dài"
    assert Directory(UnitTree(UNITS)).commune_name("99003") == "99003"


def test_thousands_are_paged_and_found_at_once():
    many = UnitTree([ROOT, *(unit(f"th-{n}", f"Trường Tiểu học Số {n}", commune=f"{n % 170:05}") for n in range(4000))])
    directory = Directory(many)
    began = time.perf_counter()
    listing = directory.find(Wanted(text="so 39", page=2))
    assert time.perf_counter() - began < 0.1
    assert (listing.count, listing.page, listing.pages) == (111, 2, 3)
    assert sum(len(lines) for _, lines in listing.groups) == ON_A_PAGE
    assert directory.find(Wanted(page=999_999)).page == listing.pages + 78


@given(st.integers(0, 120), st.integers(1, 4))
def test_pages_together_hold_everybody_once(count, wanted_page):
    directory = Directory(UnitTree([ROOT, *(unit(f"th-{n}", f"Trường {n}") for n in range(count))]))
    pages = directory.find(Wanted()).pages
    codes = [
        line.unit.code
        for page in range(1, pages + 1)
        for _, lines in directory.find(Wanted(page=page)).groups
        for line in lines
    ]
    assert len(codes) == len(set(codes)) == count + 1
    assert directory.find(Wanted(page=wanted_page)).page == min(wanted_page, pages)


def test_every_kind_has_a_level():
    assert [level_of(unit("x", "X", kind)) for kind in KINDS] == [
        level for level, kinds in LEVELS.items() for _ in kinds
    ]


@given(st.dictionaries(st.sampled_from(["q", "dia-ban", "cap", "loai", "trang", "x"]), st.text()))
def test_whatever_an_address_asks_is_read(query):
    wanted = read_wanted(query)
    assert wanted.page >= 0
    DIRECTORY.find(wanted)


def test_an_address_is_read_as_it_was_written():
    assert read_wanted({"q": "  hoa  sen ", "dia-ban": "99003", "cap": "kindergarten", "trang": "2"}) == Wanted(
        "hoa sen", "99003", "kindergarten", "", 2
    )
    assert read_wanted({"cap": "khong-co", "loai": "x", "trang": "²"}) == Wanted()
