"""A result as JSON, put together from pieces that the candidates of an exam share."""

from kit.bounded import Bounded
from lookup import exam_json
from lookup.exams import Exam
from lookup.sealed.record import Record, SharedFacts, unpack

# Papers and scores of one exam: a dozen papers with two hundred scores each. Totals have more decimals.
_MOST_PAPERS = 4096
_MOST_ENDINGS = 8192
_BEFORE_PAPERS = b'","components":['

Ending = tuple[int, int, int | None]


class JsonPieces:
    """Writes what `exam_json.encode(exam_json.answer(exam, result))` would, for every record of one release."""

    def __init__(self, exam: Exam, facts: SharedFacts) -> None:
        self._exam, self._facts = exam, facts
        self._beginning = exam_json.encode({"exam": exam.code, "candidate_number": ""})[: -len(b'"}')]
        self._papers = Bounded[tuple[int, int], bytes](_MOST_PAPERS, self._write_paper)
        self._endings = Bounded[Ending, bytes](_MOST_ENDINGS, self._write_ending)

    def write(self, record: Record) -> bytes:
        """The answer to whoever proved a right to this record."""
        papers = record.papers
        components = b",".join([self._papers[paper] for paper in zip(papers[::2], papers[1::2], strict=True)])
        ending = self._endings[record.edition, record.version, record.total]
        if record.name is not None:
            ending = b'%b,"candidate_name":%b}' % (ending[:-1], exam_json.encode(record.name))
        return b"".join((self._beginning, record.number.encode(), _BEFORE_PAPERS, components, ending))

    def _write_paper(self, paper: tuple[int, int]) -> bytes:
        (component,) = self._shape(Record("", 1, 0, [*paper])).components
        return exam_json.encode(component)

    def _write_ending(self, ending: Ending) -> bytes:
        edition, version, total = ending
        whole = exam_json.encode(self._shape(Record("", version, edition, [], total)))
        return whole[whole.index(_BEFORE_PAPERS) + len(_BEFORE_PAPERS) :]

    def _shape(self, record: Record) -> exam_json.ResultAnswer:
        return exam_json.answer(self._exam, unpack(record, self._facts, self._exam))
