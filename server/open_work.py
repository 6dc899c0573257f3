"""Everything that an officer can leave open: each part adds its kind here, and whoever leaves hands it over."""

from server.approval_kinds import KINDS
from units.approvals.open_work import Delegations, WorkHandedIn
from units.officers.handover import OpenWork

OPEN_WORK: list[OpenWork] = [WorkHandedIn(KINDS), Delegations()]
