"""Every route below /can-bo, whoever added it: closed to strangers, and deaf to forms that are not its own."""

import re

import pytest
from litestar import Litestar

from server.app import _dependencies
from server.officers_area import officers_routes
from tests.exams import given_exam
from tests.officers import given_officer, given_unit, signed_in
from units.officers.doorkeeper import require_session
from units.officers.roles import ROLES

# What is there for people who are not signed in; the tests of signing in and of caught mail are about these.
OPEN = (
    "/can-bo/dang-nhap", "/can-bo/xac-thuc", "/can-bo/thiet-lap", "/can-bo/quen-mat-khau", "/can-bo/dat-lai-mat-khau",
    "/can-bo/danh-thuc", "/can-bo/thu-da-gui",
)  # fmt: skip
# What stands in an address where a route takes only certain words.
WORDS = {
    "/can-bo/phe-duyet/{approval_id:str}/{act:str}": "rut-lai",
    "/can-bo/don-vi/{unit_code:str}/{act:str}": "doi-ten",
}
NOBODY = "00000000-0000-0000-0000-000000000000"
CHANGING = {"POST", "PUT", "PATCH", "DELETE"}


def all_routes() -> list[tuple[str, str, bool]]:
    """Method, path, whether the door stands before it."""
    found = []
    for route in Litestar(route_handlers=officers_routes(), dependencies=_dependencies(), openapi_config=None).routes:
        for handler in route.route_handlers:
            behind_the_door = require_session in handler.resolve_guards()
            found += [(method, route.path, behind_the_door) for method in handler.http_methods]
    return sorted(found)


def address(path: str, **there: str) -> str:
    """An address of the route; for a parameter that is not `there`, something that does not exist."""
    words = {"act": WORDS.get(path, ""), **there}
    path = re.sub(r"\{\w+:int\}", "1", path)
    return re.sub(r"\{(\w+):\w+\}", lambda found: words.get(found[1]) or NOBODY, path)


ROUTES = [(method, path) for method, path, behind_the_door in all_routes() if behind_the_door]
CHANGES = [(method, path) for method, path in ROUTES if method in CHANGING]


@pytest.fixture
async def desk(connection, service):
    """Somebody who may do everything that one person may."""
    await given_unit(connection, "thpt")
    roles = [(unit, role) for unit in ("so", "thpt") for role in ROLES if role not in ("auditor", "operator")]
    return await signed_in(service, await given_officer(connection, "lan", *roles))


@pytest.fixture
async def auditor(connection, service):
    """Somebody who may do the rest."""
    return await signed_in(service, await given_officer(connection, "nam", ("so", "auditor")))


@pytest.fixture
async def there(connection, desk, service):
    """What does exist, by the names that routes have for it."""
    hung = await given_officer(connection, "hung", ("so", "editor"))
    exam = await given_exam(connection, "thi-thu")
    await service.hears_all_changes()
    return {"unit_code": "thpt", "officer_id": hung.id, "exam_code": exam.code, "role": "editor"}


def test_only_the_way_in_is_open():
    open_routes = {path for _, path, behind_the_door in all_routes() if not behind_the_door}
    assert not {path for path in open_routes if not path.startswith(OPEN)}
    assert len(ROUTES) > 40


async def test_without_a_session_every_route_leads_to_the_sign_in(visitor):
    for method, path in ROUTES:
        answer = await visitor.request(method, address(path))
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/can-bo/dang-nhap"), path


async def test_with_a_cookie_that_is_none_of_ours_too(service):
    visitor = service.visitor(headers={"Cookie": "__Host-baodanh=invented"})
    for method, path in ROUTES:
        assert (await visitor.request(method, address(path))).status_code == 303, path


@pytest.mark.parametrize("token", [None, "", "invented", "another officer's"])
async def test_a_form_without_the_sessions_token_is_refused(connection, desk, auditor, there, service, token):
    if token == "another officer's":
        token = (await signed_in(service, await given_officer(connection, "chi", ("so", "editor")))).csrf
    told = {} if token is None else {"csrf": token}
    before = await rows(connection)
    for method, path in CHANGES:
        answers = [await post_without_token(each, method, address(path, **there), told) for each in (desk, auditor)]
        assert {answer.status_code for answer in answers} <= {403, *gone(path)}, path
        # Whoever may not do it at all may be told that first.
        assert any("Biểu mẫu" in answer.text for answer in answers) or gone(path), path
    assert await rows(connection) == before


async def post_without_token(desk, method, path, told):
    answer = await desk.request(method, path, data={"reason": "x", **told})
    if answer.status_code != 415:
        return answer
    return await desk.request(method, path, data=told, files={"file": ("x.csv", b"x")})


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_a_form_of_another_sites_page_is_refused(connection, desk, there, headers):
    before = await rows(connection)
    for method, path in CHANGES:
        told = {"csrf": desk.csrf, "reason": "x"}
        answer = await desk.request(method, address(path, **there), data=told, headers=headers)
        assert answer.status_code == 403, (path, answer.status_code)
    assert await rows(connection) == before


def gone(path: str) -> tuple[int, ...]:
    """Where a route looks first for something that no test here can give it, it may say that this is not there."""
    return (404,) if re.search(r"\{(approval_id|upload_id|batch_id|delegation_id)", path) else ()


async def rows(connection) -> list[tuple[str, int]]:
    """How many rows each table has."""
    tables = await connection.fetch(
        "select schemaname || '.' || tablename as name from pg_tables"
        " where schemaname in ('kit', 'units', 'lookup') and tablename <> 'nodes'"
        " and tablename not like 'record\\_entries\\_%' order by 1"
    )
    return [(row["name"], await connection.fetchval(f"select count(*) from {row['name']}")) for row in tables]  # noqa: S608


async def test_no_page_of_an_officer_is_kept_by_anybody(desk, there):
    for method, path in ROUTES:
        if method == "GET":
            assert (await desk.get(address(path, **there))).headers.get("cache-control") in (
                "no-store",
                "private, no-store",
            ), path
