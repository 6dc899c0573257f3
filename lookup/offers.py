"""What a unit offers to look up: its exams, for its page in the directory."""

from lookup.catalogue import Catalogue
from lookup.exams import Exam
from units.unit_tree import UnitTree
from units.units import Unit


def exams_of(catalogue: Catalogue, unit: Unit, tree: UnitTree) -> list[Exam]:
    """The exams of a unit and of those it took over, the newest year first."""
    return [exam for exam in catalogue.exams() if tree.current(exam.unit.code).code == unit.code]
