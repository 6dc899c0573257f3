import pytest

from lookup.marks import MARKS, nearest_mark, recognise_mark, says_none


@pytest.mark.parametrize("text", ["-1", "KT", "V", "Vắng", "vang", "---", "vắng thi", "absent"])
def test_absence_has_many_spellings(text):
    assert recognise_mark(text, "score") == "absent"


@pytest.mark.parametrize("text", ["-1", "-", "--", "---", "–", "—"])
@pytest.mark.parametrize("subject_type", ["grade", "prize", "outcome"])
def test_a_dash_is_absence_in_a_score_and_none_elsewhere(text, subject_type):
    assert recognise_mark(text, "score") == "absent"
    assert not says_none(text, "score")
    assert recognise_mark(text, subject_type) is None
    assert says_none(text, subject_type)


@pytest.mark.parametrize("subject_type", ["grade", "prize", "outcome"])
def test_words_of_absence_mean_it_everywhere(subject_type):
    assert {recognise_mark(text, subject_type) for text in ("V", "Vắng", "KT")} == {"absent"}


@pytest.mark.parametrize(
    ("text", "subject_type", "mark"),
    [
        ("Miễn", "score", "exempt"),
        ("M", "score", "exempt"),
        ("ĐC", "score", "suspended"),
        ("HKQ", "score", "cancelled"),
        ("BL", "score", "reserved"),
        ("Đ", "outcome", "pass"),
        ("CĐ", "outcome", "fail"),
        ("Giỏi", "grade", "excellent"),
        ("TB", "grade", "average"),
        ("Chưa đạt", "grade", "fail"),
        ("Nhất", "prize", "first_prize"),
        ("giải nhì", "prize", "second_prize"),
        ("III", "prize", "third_prize"),
        ("KK", "prize", "consolation_prize"),
        ("HCV", "prize", "gold_medal"),
    ],
)
def test_each_mark_of_the_field_is_understood(text, subject_type, mark):
    assert recognise_mark(text, subject_type) == mark


def test_zero_and_an_empty_cell_are_no_marks():
    assert recognise_mark("0", "score") is None
    assert recognise_mark("", "score") is None


def test_a_prize_does_not_stand_in_a_score():
    assert recognise_mark("Nhất", "score") is None
    assert recognise_mark("Giỏi", "score") is None


def test_gold_without_its_mark_could_be_absence_and_is_not_guessed():
    assert recognise_mark("Vang", "prize") is None


def test_every_mark_reads_back_from_its_own_word_in_both_languages():
    for code, mark in MARKS.items():
        for subject_type in mark.types:
            assert {recognise_mark(text, subject_type) for text in (code, mark.word, mark.word_en)} == {code}


def test_a_misspelt_mark_is_answered_with_the_nearest_known_one():
    assert nearest_mark("Vắgn", "score") == "Vắng"
