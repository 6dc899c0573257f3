"""One approval as a person sees it: what it would change today, who is involved, and what she may do with it."""

from datetime import datetime

import msgspec

from kit.bounded_pool import BoundedPool
from kit.errors import DomainError
from units.approvals.approval import Approval, ApprovalNotFound
from units.approvals.approvals import find_changes
from units.approvals.authority import Authority, find_authority, may_see, may_withdraw
from units.approvals.kinds import Kinds, Preview
from units.approvals.lists import find_approval
from units.approvals.places import list_approvers
from units.approvals.steps import StepTaken, list_steps
from units.officers.officers import Officer, find_officers
from units.unit_tree import UnitTree


class View(msgspec.Struct, frozen=True):
    """What the page tells. `people` holds everybody whom it names, by id; `deciders` are who could decide today.

    `changed` is what would become public now, where that is not what was handed in; `refused` says that nothing could.
    """

    approval: Approval
    kind_title: str
    address: str
    unit_name: str
    place_name: str
    steps: list[StepTaken]
    people: dict[str, Officer]
    deciders: list[Officer]
    authority: Authority | None
    own: bool
    may_withdraw: bool
    changed: Preview | None = None
    refused: DomainError | None = None

    @property
    def can_decide(self) -> bool:
        """Whether the page offers a decision: it waits, and is another's work that she has a say about."""
        return self.approval.state == "waiting" and self.authority is not None and not self.own

    @property
    def can_approve(self) -> bool:
        """Whether what she sees is what would become public."""
        return self.can_decide and self.changed is None and self.refused is None

    def can_withdraw(self, now: datetime) -> bool:
        """Whether she may still take it back."""
        return self.may_withdraw and self.approval.can_be_withdrawn(now)


async def find_view(
    database: BoundedPool, kinds: Kinds, approval_id: str, officer: Officer, tree: UnitTree, now: datetime
) -> View:
    """The approval as this officer sees it. Raises ApprovalNotFound, for that of a unit she does not see too."""
    async with database.transaction() as transaction:
        approval = await find_approval(transaction, approval_id)
        authority = await find_authority(transaction, approval, officer, tree, now)
        if authority is None and not may_see(approval, officer, tree):
            raise ApprovalNotFound
        kind = kinds[approval.kind]
        changed, refused = None, None
        if approval.state == "waiting":
            try:
                changed = await find_changes(transaction, approval, kind)
            except DomainError as problem:
                refused = problem
        approvers = await list_approvers(transaction, tree, [approval.decided_in], but=approval.prepared_by)
        steps = await list_steps(transaction, approval)
        people = await find_officers(transaction, _everybody(approval, steps, [each.officer_id for each in approvers]))
        return View(
            approval=approval,
            kind_title=kind.title,
            address=kind.address(approval.about),
            unit_name=tree.current(approval.unit_code).name,
            place_name=tree.current(approval.decided_in).name,
            steps=steps,
            people=people,
            deciders=[people[each.officer_id] for each in approvers],
            authority=authority,
            own=officer.id in approval.prepared_by,
            may_withdraw=may_withdraw(approval, officer, tree) or approval.decided_by == officer.id,
            changed=changed,
            refused=refused,
        )


def _everybody(approval: Approval, steps: list[StepTaken], approvers: list[str]) -> list[str]:
    named = [approval.handed_in_by, approval.decided_by, approval.decided_for, *approval.prepared_by, *approvers]
    named += [officer_id for step in steps for officer_id in (step.officer_id, step.decided_for, step.handed_to)]
    return sorted({officer_id for officer_id in named if officer_id})
