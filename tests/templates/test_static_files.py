"""Style, script and pictures are named by what they contain."""

import gzip
from pathlib import Path

import pytest

from kit.static_files import StaticFiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "guide").mkdir()
    (tmp_path / "baodanh.css").write_text("a{color:red}" * 50)
    (tmp_path / "guide" / "form.webp").write_bytes(b"RIFF")
    (tmp_path / "notes.md").write_text("not for browsers")
    return tmp_path


def test_an_address_changes_with_what_it_shows(folder):
    before = StaticFiles(folder).address("baodanh.css")
    assert StaticFiles(folder).address("baodanh.css") == before
    (folder / "baodanh.css").write_text("a{color:blue}")
    assert StaticFiles(folder).address("baodanh.css") != before


def test_text_goes_out_compressed_and_pictures_as_they_are(folder):
    files = StaticFiles(folder)
    style, picture = files.find("baodanh.css"), files.find("guide/form.webp")
    assert gzip.decompress(style.gzipped) == style.content
    assert len(style.gzipped) < len(style.content)
    assert picture.gzipped is None
    assert picture.media_type == "image/webp"


def test_a_file_of_no_known_type_is_not_there(folder):
    assert StaticFiles(folder).find("notes.md") is None
    assert StaticFiles(folder).find("../settings.py") is None


def test_a_page_that_names_a_missing_file_fails_at_once(folder):
    with pytest.raises(KeyError):
        StaticFiles(folder).address("gone.css")
