"""Provinces and communes: the package's, with our corrections, in the order and spelling that people look for."""

import subprocess
import sys
import tomllib
import unicodedata
from datetime import date
from pathlib import Path

import pytest

import units
from kit.vietnamese import sort_key
from units import places
from units.places import CommuneElsewhere, PlaceNotFound

CORRECTIONS = tomllib.loads(
    (Path(units.__file__).parent / "data" / "place_corrections.toml").read_text(encoding="utf-8")
)


def test_there_are_34_provinces_and_3321_communes_all_by_text():
    known = places.provinces()
    assert len(known) == 34
    assert sum(len(places.communes(province.code)) for province in known) == 3321
    assert all(len(province.code) == 2 for province in known)
    assert places.province("01").name == "Thành phố Hà Nội"
    assert places.commune("00070") == places.Commune("00070", "Phường Hoàn Kiếm", "01")


def test_names_and_codes_are_the_packages_own():
    from vietnam_provinces import Ward

    corrected = {each["code"] for each in CORRECTIONS["commune"]}
    for ward in Ward.iter_all():
        code = f"{int(ward.code):05}"
        if code not in corrected:
            assert places.place_key(ward.name) == places.place_key(places.commune(code).name)
            assert int(places.commune(code).province_code) == ward.province_code


def test_names_are_plain_and_composed():
    names = [commune.name for province in places.provinces() for commune in places.communes(province.code)]
    for name in names:
        assert name == unicodedata.normalize("NFC", " ".join(name.split()))
        assert not set(name) & set("–—’‘")
        assert name.startswith(("Phường ", "Xã ", "Đặc khu "))
        assert all(word[0].isupper() for word in name.replace("Đặc khu", "Đ K").split() if word[0].isalpha())


def test_lists_are_in_vietnamese_order_whatever_kind_of_place_it_is():
    names = [province.name for province in places.provinces()]
    assert names[:3] == ["An Giang", "Bắc Ninh", "Cà Mau"]
    assert names.index("Đắk Lắk") > names.index("Cao Bằng")
    assert names.index("Thành phố Đà Nẵng") < names.index("Đắk Lắk")
    bare = [commune.name.split(" ", 1)[1] for commune in places.communes("01")]
    assert bare == sorted(bare, key=sort_key)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("hoan kiem", "Phường Hoàn Kiếm"),
        ("PHƯỜNG HOÀN KIẾM", "Phường Hoàn Kiếm"),
        ("van mieu quoc tu giam", "Phường Văn Miếu - Quốc Tử Giám"),
        ("ea m'droh", "Xã Ea M'Droh"),
        ("Ea M’Droh", "Xã Ea M'Droh"),
        ("chan may lang co", "Xã Chân Mây - Lăng Cô"),
        ("con co", "Đặc khu Cồn Cỏ"),
    ],
)
def test_a_commune_is_found_however_it_is_typed(typed, name):
    assert places.find_communes(typed)[0].name == name


def test_communes_of_one_name_are_all_found_and_a_province_narrows_it_down():
    assert len({commune.province_code for commune in places.find_communes("Hòa An")}) > 1
    assert [commune.province_code for commune in places.find_communes("hoan kiem", "01")] == ["01"]
    assert places.find_communes("hoan kiem", "79") == []
    assert places.find_communes("  ") == []


def test_every_correction_has_a_reason_and_a_day_and_holds():
    for correction in [*CORRECTIONS["commune"], *CORRECTIONS["province"]]:
        assert correction["reason"].strip()
        assert isinstance(correction["since"], date)
    for correction in CORRECTIONS["commune"]:
        assert places.commune(correction["code"]).name == correction["name"]
    assert places.commune("24718").name == "Xã Đắk Song"


def test_the_demos_province_is_known_and_stands_in_no_list():
    assert places.province("99").is_fictional
    assert "99" not in {province.code for province in places.provinces()}
    assert {commune.code for commune in places.communes("99")} >= {"99001", "99002"}
    assert places.find_communes("ben may") == []
    assert [commune.code for commune in places.find_communes("ben may", "99")] == ["99001"]


def test_a_commune_tells_its_province_and_must_lie_in_the_one_that_was_told():
    assert places.check(None, "00070") == "01"
    assert places.check("01", "00070") == "01"
    assert places.check("79", None) == "79"
    assert places.check(None, None) is None
    with pytest.raises(CommuneElsewhere):
        places.check("79", "00070")
    for province, commune in (("00", None), (None, "99999"), ("01", "00001")):
        with pytest.raises(PlaceNotFound):
            places.check(province, commune)


def test_the_program_does_not_import_the_packages_tables():
    """They would cost every web process fifteen megabytes."""
    script = "import sys; from units import places; places.communes('01'); print('vietnam_provinces' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
