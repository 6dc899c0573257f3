"""What each part of the service brings to the officers' first page, in the order in which it stands there."""

from lookup.exams_in_preparation import exams_in_preparation
from server.approval_kinds import KINDS
from units.approvals.home_parts import home_parts
from units.officers.home_page import Home, QuickAction

HOME = Home(
    parts=[
        *home_parts(KINDS),
        exams_in_preparation,
    ],
    quick_actions=[
        QuickAction("prepare_exam", "/can-bo/ky-thi", "Kỳ thi của đơn vị"),
        QuickAction("manage_officers", "/can-bo/nhan-su", "Cán bộ của đơn vị"),
        QuickAction("delegate_approval", "/can-bo/phe-duyet/uy-quyen", "Ủy quyền khi vắng mặt"),
        QuickAction("read_record", "/can-bo/nhat-ky", "Tra cứu nhật ký"),
    ],
)
