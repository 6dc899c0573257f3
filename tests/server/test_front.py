"""Whatever the front answers by itself has the bytes that the framework would have sent, with PostgreSQL behind it."""

import itertools
import json
from datetime import timedelta
from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kit.keys import KeyRing
from server.settings import load_settings
from tests.conftest import on_database
from tests.lookup.result_files import own_database
from tests.people import MINH, MORNING
from tests.server.two_ways import HOST, RIGHT, Request, both_ways, given_every_sort_of_exam, right_questions

_addresses = itertools.count(1)
_NAME = "front"


@pytest.fixture(scope="module")
async def ways(postgres, template, valkey, tmp_path_factory):
    """The application and its exams; every test of the module asks the same one."""
    url = on_database(postgres.runtime_url, _NAME)
    quick = {"LOOKUP_RATE": "100000/minute", "FOREIGN_ORIGIN_RATE": "100000/minute"}
    folder = tmp_path_factory.mktemp("front")
    own = load_settings(
        {"STATE_DIR": str(folder), "DATABASE_URL": url, "REDIS_URL": valkey.url, "LOG_LEVEL": "CRITICAL"}
        | {"TRUSTED_PROXIES": "127.0.0.1"} | quick
    )  # fmt: skip
    async with own_database(postgres, template, _NAME) as connection:
        key = KeyRing(own.keys_folder).current("pin").value
        await given_every_sort_of_exam(connection, own, key)
        async with both_ways(own, connection) as opened:
            opened.right = right_questions(key)
            yield opened


@pytest.fixture(autouse=True)
def on_results_day(ways):
    ways.stands_at(hours=2)
    ways.forget_visits()
    ways.handed_on = 0


def somebody(*headers: tuple[str, str]) -> list[tuple[str, str]]:
    """Headers of a visitor from a neighbourhood where nobody has asked yet."""
    place = next(_addresses)
    return [("host", HOST), ("x-real-ip", f"10.{place >> 8}.{place & 255}.7"), *headers]


def as_read(code: str, typed: dict, *headers: tuple[str, str], method: str = "GET") -> Request:
    return Request(method, f"/api/v1/exams/{code}/results/{quote(typed['candidate_number'])}", somebody(*headers))


def as_json(code: str, typed: dict, *headers: tuple[str, str]) -> Request:
    kind = ("content-type", "application/json")
    return Request("POST", f"/api/v1/exams/{code}/results", somebody(kind, *headers), json.dumps(typed).encode())


def as_form(code: str, typed: dict, *headers: tuple[str, str], locale: str = "") -> Request:
    kind = ("content-type", "application/x-www-form-urlencoded")
    return Request("POST", f"{locale}/tra-cuu/diem-thi/{code}", somebody(kind, *headers), urlencode(typed).encode())


async def same_on_both_ways(ways, request: Request):
    front, behind = await ways.ask_front(request), await ways.ask_behind(request)
    if front != behind and front.status == behind.status == 429:
        # Between the two a second of the wait had passed.
        front, behind = await ways.ask_front(request), await ways.ask_behind(request)
    assert front == behind
    return front


ANSWERED_IN_FRONT = ["mass", "named", "nameless", "codes", "corrected", "prizes", "late", "coming", "down"]


@pytest.mark.parametrize("code", ANSWERED_IN_FRONT)
async def test_a_result_has_the_same_bytes_without_the_framework(ways, code):
    if code == "late":
        ways.stands_at(hours=1, seconds=59)
    for typed in ways.right[code]:
        for request in (
            as_json(code, typed), as_form(code, typed), as_form(code, typed, locale="/en"),
            as_form(code, typed, ("accept-encoding", "gzip, br")), as_json(code, typed, ("accept-encoding", "gzip")),
        ):  # fmt: skip
            told = await same_on_both_ways(ways, request)
            assert told.status == (404 if code in ("coming", "down") else 200)
            assert told.is_packed == (len(told.body) >= 1000 and "gzip" in str(request.headers))
        if code in ("mass", "corrected", "prizes", "late"):
            assert (await same_on_both_ways(ways, as_read(code, typed))).status == 200
    assert not ways.handed_on


async def test_what_no_file_holds_and_what_is_unusual_is_handed_on(ways):
    unusual = [
        as_read("at-once", RIGHT["at-once"][0]),
        as_read("named", RIGHT["named"][0]),
        as_read("mass", {"candidate_number": "12"}),
        as_json("mass", {"candidate_number": 99000001}),
        as_json("khong-co", {"candidate_number": "99000001"}),
        Request("POST", "/api/v1/exams/mass/results", somebody(("content-type", "text/plain")), b"99000001"),
        Request("POST", "/api/v1/exams/mass/results", somebody(("content-type", "application/json")), b"{"),
        Request("POST", "/api/v1/exams/mass/results", somebody()),
        Request("POST", "/api/v1/exams/mass/results", somebody(("content-type", "application/json")), b" " * 20_000),
        Request("POST", "/api/v1/exams/mass/results", somebody(("content-type", "application/json")), b" " * 20_000, 9),
        Request("OPTIONS", "/api/v1/exams/mass/results", somebody()),
        Request("DELETE", "/api/v1/exams/mass/results/99000001", somebody()),
        Request("POST", "/api/v1/exams/mass/results/99000001", somebody()),
        Request("GET", "/api/v1/exams/mass/results", somebody()),
        Request("GET", "/API/v1/exams/mass/results/99000001", somebody()),
        Request("GET", "/api/v1/exams/MASS/results/99000001", somebody()),
        Request("GET", "/api/v1/exams/mass/results/99000001/", somebody()),
        Request("GET", "//api/v1//exams/mass/results/99000001", somebody()),
        Request("GET", "/api/v1/exams/mass/results/9900%2F0001", somebody()),
        Request("GET", "/api/v1/exams/mass/results/%00", somebody()),
        Request("GET", "/tra-cuu/diem-thi/down", somebody()),
        Request("GET", "/en/tra-cuu/diem-thi/coming", somebody()),
        Request("HEAD", "/api/v1/exams/mass/results/99000001", [("host", "mass/../")]),
    ]
    for place, request in enumerate(unusual, start=1):
        await same_on_both_ways(ways, request)
        assert ways.handed_on == place, request


async def test_harmless_spellings_of_an_address_are_answered_in_front(ways):
    for path in ("/api/v1/exams/mass/results/9900%30001", "/api/v1/exams/mass/results/99.000.001?x=1&candidate=2"):
        assert (await same_on_both_ways(ways, Request("GET", path, somebody()))).status == 200
    assert not ways.handed_on


async def test_a_body_in_pieces_is_one_body(ways):
    whole = as_json("named", RIGHT["named"][0])
    assert (
        await same_on_both_ways(ways, Request(whole.method, whole.path, whole.headers, whole.body, 7))
    ).status == 200
    assert not ways.handed_on


@pytest.mark.parametrize("locale", ["", "/en"])
async def test_the_empty_form_is_ready_while_an_exam_is_open(ways, locale):
    for days in (0, 3, 20):
        ways.stands_at(days=days, hours=2)
        for method in ("GET", "HEAD"):
            request = Request(method, f"{locale}/tra-cuu/diem-thi/mass", somebody(("accept-encoding", "gzip")))
            told = await same_on_both_ways(ways, request)
            assert told.status == 200
            assert bool(told.body) == (method == "GET")
    assert not ways.handed_on


async def test_what_was_typed_stands_in_the_page_again_and_is_harmless_there(ways):
    typed = {"candidate_number": " 99.00-0 9 99 ", "birth_date": "1/2/2008"}
    told = await same_on_both_ways(ways, as_form("coming", typed))
    assert b'value=" 99.00-0 9 99 "' in told.body
    typed = {"candidate_number": "990002", "pin": '"><script>1</script>'}
    told = await same_on_both_ways(ways, as_form("codes", typed))
    assert told.status == 404
    assert b"<script>1" not in told.body
    assert not ways.handed_on


async def test_a_correction_is_awaited_in_the_same_words_on_both_ways(ways):
    (typed, *_) = ways.right["late"]
    ways.stands_at(hours=1, seconds=59)
    assert (await same_on_both_ways(ways, as_read("late", typed))).status == 200
    ways.stands_at(hours=1, seconds=61)
    for request in (
        as_read("late", typed),
        as_json("late", typed),
        as_form("late", typed),
        as_form("late", typed, locale="/en"),
    ):
        told = await same_on_both_ways(ways, request)
        assert told.status == 503
        assert told.header("retry-after")
        assert "x-request-id" not in dict(told.headers)
    assert not ways.handed_on


async def test_before_its_moment_every_question_gets_one_answer(ways):
    """Known, unknown, wrong fact: the same work in front, and the same bytes on both ways."""
    right = RIGHT["coming"][0]
    asked = [right, right | {"candidate_number": "99999999"}, right | {"birth_date": "2/2/2008"}]
    told = [await same_on_both_ways(ways, as_json("coming", typed)) for typed in asked]
    assert len(set(told)) == 1
    assert told[0].status == 404
    assert not ways.handed_on


async def test_an_exam_opens_on_both_ways_at_its_second(ways):
    (typed,) = RIGHT["coming"]
    for seconds, status in ((-1, 404), (0, 200)):
        ways.stands_at(days=30, seconds=seconds)
        assert (await same_on_both_ways(ways, as_json("coming", typed))).status == status
        assert (await same_on_both_ways(ways, as_form("coming", typed))).status == status


async def test_a_reader_who_has_an_answer_already_is_told_so(ways):
    typed = RIGHT["mass"][0]
    etag = (await same_on_both_ways(ways, as_read("mass", typed))).header("etag")
    assert etag.startswith('W/"')
    for line, status in (
        (etag, 304), (etag.removeprefix("W/"), 304), (f'"a", {etag} ,"b"', 304), ("*", 304), ('"a"', 200), ("", 200)
    ):  # fmt: skip
        for method in ("GET", "HEAD"):
            told = await same_on_both_ways(ways, as_read("mass", typed, ("if-none-match", line), method=method))
            assert told.status == status, line
            assert bool(told.body) == (status == 200 and method == "GET")
            assert told.header("etag") == etag
    other = await same_on_both_ways(ways, as_read("mass", RIGHT["mass"][1], ("if-none-match", etag)))
    assert other.status == 200
    unknown = await same_on_both_ways(ways, as_read("mass", {"candidate_number": "99999999"}, ("if-none-match", "*")))
    assert unknown.status == 404


ELSEWHERE = [("origin", "https://la.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")]


async def test_pages_of_other_sites_read_but_do_not_post(ways):
    for header in ELSEWHERE:
        typed = RIGHT["mass"][0]
        assert (await same_on_both_ways(ways, as_read("mass", typed, header))).status == 200
        assert (await same_on_both_ways(ways, as_json("mass", typed, header))).status == 403
        assert (await same_on_both_ways(ways, as_form("mass", typed, header))).status == 403
    assert (await same_on_both_ways(ways, as_form("mass", typed, ("origin", f"https://{HOST}")))).status == 200
    assert not ways.handed_on


@pytest.mark.parametrize("make", [as_json, as_form])
async def test_wrong_facts_are_counted_alike_and_refused_in_the_same_words(ways, make):
    wrong = RIGHT["named"][0] | {"birth_date": "2/2/2008"}
    request = make("named", wrong)
    told = [await same_on_both_ways(ways, request) for _ in range(12)]
    statuses = [each.status for each in told]
    assert statuses == sorted(statuses)
    assert set(statuses) == {404, 429}
    assert statuses.index(429) > 5
    assert not ways.handed_on


async def test_a_number_that_many_guess_at_is_challenged_in_the_same_words_on_both_ways(ways):
    wrong = RIGHT["named"][0] | {"birth_date": "2/2/2008"}
    for _ in range(300):
        told = await same_on_both_ways(ways, as_json("named", wrong))
        if told.status == 429:
            break
    assert json.loads(told.body)["code"] == "challenge"
    for locale in ("", "/en"):
        page = await same_on_both_ways(ways, as_form("named", wrong, ("accept-encoding", "gzip"), locale=locale))
        assert page.status == 429
        assert b"data-challenge" in page.body
    assert not ways.handed_on


async def test_of_several_headers_with_one_name_the_first_counts_on_both_ways(ways):
    typed = RIGHT["named"][0]
    form, gzip = ("content-type", "application/x-www-form-urlencoded"), ("accept-encoding", "gzip")
    assert (await same_on_both_ways(ways, as_json("named", typed, form))).status == 200
    assert not (await same_on_both_ways(ways, as_form("named", typed, ("accept-encoding", "identity"), gzip))).is_packed
    assert (await same_on_both_ways(ways, as_form("named", typed, gzip, ("accept-encoding", "br")))).is_packed
    assert not ways.handed_on


async def test_a_damaged_file_is_answered_as_if_it_had_never_been_open(ways):
    request = as_json("damaged", RIGHT["damaged"][0])
    assert (await same_on_both_ways(ways, request)).status == 200
    bundle = ways.state.vault.find_open(ways.state.catalogue.find("damaged").releases[0]).bundle
    content = bytearray(bundle.path.read_bytes())
    content[-200:] = bytes(200)
    with bundle.path.open("r+b") as file:
        file.write(content)
    # As if nobody had looked there yet.
    bundle._checked[:] = bytes(len(bundle._checked))
    gate, counted = ways._front._gate, []
    count = gate.admit_address
    gate.admit_address = lambda *about, **how: counted.append(count(*about, **how))
    refused = await ways.ask_front(request)
    assert refused.status == 404
    assert len(counted) == 1, "one visit, though it was answered at the second try"
    assert refused == await ways.ask_behind(request)
    assert not ways.handed_on


questions = st.builds(
    lambda code, number, factor: (code, {"candidate_number": number} | factor),
    st.sampled_from(sorted({*ANSWERED_IN_FRONT, "at-once", "announced", "khong-co"})),
    st.one_of(
        st.sampled_from(
            ["99000001", "99000002", "99000500", "990001", "990002", "990003", "A1234", "HSG0001", "99 000 003"]
        ),
        st.integers(99_000_000, 99_000_140).map(str),
        st.text(max_size=12),
    ),
    st.one_of(
        st.just({}),
        st.sampled_from([{"birth_date": "1/2/2008"}, {"birth_date": "30112008"}, {"pin": "Q7W8E9R0T1"}, {"pin": "é"}]),
        st.fixed_dictionaries({"birth_date": st.text(max_size=12), "pin": st.text(max_size=70)}),
    ),
)
told_by_clients = st.lists(
    st.sampled_from([
        ("accept-encoding", "gzip, deflate, br"), ("accept-encoding", "identity"), ("accept-encoding", "x-gzip;q=0"),
        ("if-none-match", "*"), ("if-none-match", '"x"'), ("accept-language", "en"),
        ("content-type", "application/json"),
        ("origin", f"https://{HOST}"), ("origin", "https://la.example"), ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "cross-site"), ("cookie", "a=b"), ("x-forwarded-for", "1.2.3.4"), ("x-real-ip", "::1"),
    ]),
    max_size=4,
)  # fmt: skip


MOMENTS = [
    timedelta(hours=2),
    timedelta(hours=2, microseconds=7),
    timedelta(hours=1, seconds=30),
    timedelta(days=11, seconds=1),
]
KINDS = ["json", "form", "en-form", "read", "head", "get-form", "odd"]


@given(questions, told_by_clients, st.sampled_from(KINDS), st.sampled_from(MOMENTS))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_both_ways_answer_any_lookup_alike(ways, question, headers, kind, later):
    code, typed = question
    ways.clock.now = MORNING + later
    ways.state.vault.look(ways.clock.now)
    match kind:
        case "json":
            request = as_json(code, typed, *headers)
        case "form" | "en-form":
            request = as_form(code, typed, *headers, locale="/en" if kind == "en-form" else "")
        case "read" | "head":
            request = as_read(code, typed, *headers, method="GET" if kind == "read" else "HEAD")
        case "get-form":
            request = Request("GET", f"/tra-cuu/diem-thi/{code}", somebody(*headers))
        case _:
            request = Request("POST", f"/api/v1/exams/{code}/results", somebody(*headers), str(typed).encode(), 3)
    await same_on_both_ways(ways, request)


async def test_no_name_stands_in_an_answer_where_the_unit_shows_none(ways):
    for make in (as_json, as_form):
        told = await same_on_both_ways(ways, make("nameless", RIGHT["nameless"][0]))
        assert MINH.name.encode() not in told.body
        assert MINH.name.encode() in (await same_on_both_ways(ways, make("named", RIGHT["named"][0]))).body
