"""Invented people: names put together from common parts, and nobody's in particular."""

# ruff: noqa: SIM905 - names are read as words, not as a list of literals

from hypothesis import strategies as st

FAMILY = "Nguyễn Trần Lê Phạm Hoàng Huỳnh Phan Vũ Võ Đặng Bùi Đỗ Hồ Ngô Dương Lý Đinh Trịnh Tạ Mạc Quách Hứa".split()
MIDDLE = "Văn Thị Đức Hữu Ngọc Minh Thanh Quốc Gia Bảo Khánh Xuân Thuỳ Mỹ Hoài Ánh Ái Nhật Đình Tường Ỷ Uyển".split()
GIVEN = (
    "An Anh Ánh Ân Bảo Bích Bình Châu Chi Công Cường Cúc Dũng Duyên Dương Đạt Điệp Đông Giang Giàu Hà Hạnh Hằng Hậu "
    "Hiếu Hoà Hoài Hòa Hoàn Huệ Huy Huyền Hương Hường Khoa Khuê Kiên Kỳ Lâm Lan Linh Lĩnh Loan Lộc Lụa Ly Mai Mẫn "
    "Mỹ Nam Nga Ngân Nghĩa Nguyên Nguyệt Nhã Nhân Nhung Oanh Phát Phúc Phương Phượng Quân Quý Quyên Quỳnh Sơn Tâm Tấn "
    "Thảo Thắng Thuỷ Thúy Thư Thương Tiến Toàn Trâm Trí Trúc Tuấn Tuyết Tường Uyên Ước Vân Việt Vinh Vỹ Xuân Ý Yến"
).split()

people = st.builds(
    lambda family, middle, given: " ".join([family, *middle, given]),
    st.sampled_from(FAMILY),
    st.lists(st.sampled_from(MIDDLE), min_size=1, max_size=2),
    st.sampled_from(GIVEN),
)
