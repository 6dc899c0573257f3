"""Everything that becomes public by approval: each part adds its kind here, and nothing else is accepted."""

from lookup.exam_approvals import EXAM_ANNOUNCEMENT, EXAM_RELEASE
from units.approvals.kinds import ApprovalKind, Kinds
from units.faces.page_approval import UnitPage
from units.history.change_approval import UnitChanges

_ALL: list[ApprovalKind] = [EXAM_RELEASE, EXAM_ANNOUNCEMENT, UnitPage(), UnitChanges()]

KINDS: Kinds = {kind.name: kind for kind in _ALL}
