"""Everything that becomes public by approval: each part adds its kind here, and nothing else is accepted."""

from units.approvals.kinds import ApprovalKind, Kinds

_ALL: list[ApprovalKind] = []

KINDS: Kinds = {kind.name: kind for kind in _ALL}
