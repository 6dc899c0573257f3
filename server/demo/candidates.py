"""Invented candidates: who they are, what they sit, how it went, and what a re-mark changed."""

import itertools
from collections import defaultdict
from datetime import date
from random import Random

import msgspec

from lookup.subjects import Subject
from server.demo.exams import ANY_VARIANT, DemoExam
from server.demo.names import draw_birth_date, draw_name, draw_sex, load_name_parts
from server.demo.scores import Skills, draw_skills, place_scores, published_shapes

Paper = tuple[str, str]

# Any would do. With this one the first candidates of the exams, whom visitors look up first, are worth a look.
_SEED = 1473

# Which language a candidate learns: English nearly always, then Chinese, Japanese, Korean, French, Russian.
_LANGUAGES = ("N1", "N4", "N6", "N7", "N3", "N2")
_LANGUAGE_WEIGHTS = (9700, 170, 45, 40, 25, 20)
# Who stays away misses everything, or just one paper.
_MISSES_ALL = 0.6
_FULL_MARK = 1000
_RE_MARKED = ("ngu_van", "")


class Candidate(msgspec.Struct):
    """One candidate's result: hundredths of points and marks by paper, the total in hundredths.

    Name and birth date are there only where a lookup needs them.
    """

    number: str
    papers: list[Paper]
    skills: Skills
    name: str | None = None
    birth_date: date | None = None
    scores: dict[Paper, int] = {}
    marks: dict[Paper, str] = {}
    total: int | None = None


class Sitting(msgspec.Struct, frozen=True):
    """Everybody's result as first published, and the candidates whose result a re-mark changed, as it is then."""

    candidates: list[Candidate]
    corrected: list[Candidate]


def invent_sitting(exam: DemoExam, year: int) -> Sitting:
    """All results of an exam, the same on every machine; `year` decides only when people were born."""
    random = Random(f"Báo Danh {_SEED}, {exam.code}")
    candidates = _invent_people(random, exam, year)
    _let_them_sit(random, exam, candidates)
    for candidate in candidates:
        _stay_away(random, exam, candidate)
        _add_up(exam, candidate)
    return Sitting(candidates, _mark_again(random, exam, candidates))


def _invent_people(random: Random, exam: DemoExam, year: int) -> list[Candidate]:
    numbers = range(exam.first_number, exam.first_number + exam.candidates)
    weights = list(itertools.accumulate(group.weight for group in exam.groups))
    candidates = []
    for number in numbers:
        group = random.choices(exam.groups, cum_weights=weights)[0]
        papers = [_choose_variant(random, paper) for paper in group.sits()]
        candidates.append(Candidate(str(number), papers, draw_skills(random, group.ability)))
    if exam.policy != "public":
        _give_names(random, exam, candidates, year)
    return candidates


def _choose_variant(random: Random, paper: Paper) -> Paper:
    code, variant = paper
    return (code, random.choices(_LANGUAGES, _LANGUAGE_WEIGHTS)[0]) if variant == ANY_VARIANT else paper


def _give_names(random: Random, exam: DemoExam, candidates: list[Candidate], year: int) -> None:
    parts = load_name_parts()
    for candidate in candidates:
        candidate.name = draw_name(random, parts, draw_sex(random))
        candidate.birth_date = draw_birth_date(random, year - exam.age)


def _let_them_sit(random: Random, exam: DemoExam, candidates: list[Candidate]) -> None:
    takers: dict[Paper, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for paper in candidate.papers:
            takers[paper].append(candidate)
    shapes, steps = published_shapes() | exam.shapes, _steps(exam.papers())
    for paper, those in takers.items():
        shape = exam.shapes.get("*") or shapes[paper[0]]
        skills = [candidate.skills.draw(random, paper[0]) for candidate in those]
        for candidate, score in zip(those, place_scores(random, shape, skills, steps.get(paper, 1)), strict=True):
            candidate.scores[paper] = score


def _steps(subjects: tuple[Subject, ...]) -> dict[Paper, int]:
    return {(subject.code, subject.variant): int(100 * subject.step) for subject in subjects}


def _stay_away(random: Random, exam: DemoExam, candidate: Candidate) -> None:
    if random.random() >= exam.absent:
        return
    missed = candidate.papers if random.random() < _MISSES_ALL else [random.choice(candidate.papers)]
    for paper in missed:
        del candidate.scores[paper]
        candidate.marks[paper] = "absent"


def _add_up(exam: DemoExam, candidate: Candidate) -> None:
    """The total and what it earns; neither for who missed a paper."""
    if any(paper not in candidate.scores for paper in candidate.papers):
        return
    weights = [(exam.formula[paper[0]], paper) for paper in candidate.papers if paper[0] in exam.formula]
    if weights:
        candidate.total = int(sum(weight * candidate.scores[paper] for weight, paper in weights) + 0.5)
    if exam.ladder:
        reached = next(iter(candidate.scores.values())) if candidate.total is None else candidate.total
        candidate.marks[exam.ladder.paper, ""] = exam.ladder.mark(reached)


def _mark_again(random: Random, exam: DemoExam, candidates: list[Candidate]) -> list[Candidate]:
    """A few results of Ngữ văn as they are after the re-mark: mostly a quarter to a point more, seldom less."""
    hopeful = [candidate for candidate in candidates if 300 <= candidate.scores.get(_RE_MARKED, 0) <= 850]  # noqa: PLR2004
    corrected = []
    for candidate in sorted(random.sample(hopeful, exam.corrected), key=lambda candidate: candidate.number):
        change = random.choice((-25, 25, 25, 50, 50, 50, 75, 100))
        score = min(candidate.scores[_RE_MARKED] + change, _FULL_MARK)
        scores, marks = candidate.scores | {_RE_MARKED: score}, dict(candidate.marks)
        again = msgspec.structs.replace(candidate, scores=scores, marks=marks, total=None)
        _add_up(exam, again)
        corrected.append(again)
    return corrected
