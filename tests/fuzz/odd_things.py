"""Methods, paths, numbers, facts, bodies and headers that nobody means, from careless, curious and hostile programs."""

import gzip

from tests.people import MINH

EXAMS = ("mo", "ngay-sinh", "ma", "niem-phong", "go-bo", "khong-co")
API = "/api/v1/exams"
ROUTES = (
    "/", "/en", "/tra-cuu/diem-thi", "/en/tra-cuu/diem-thi", "/tra-cuu/diem-thi/mo", "/en/tra-cuu/diem-thi/ma",
    "/tra-cuu/diem-thi/niem-phong", "/tra-cuu/diem-thi/go-bo", "/huong-dan", "/en/huong-dan/tra-cuu-diem-thi",
    "/quyen-rieng-tu", "/tai-lieu/api", "/en/tai-lieu/api", "/static/0/baodanh.css", "/static/0/khong-co.css",
    "/favicon.ico", "/robots.txt", "/healthz", "/readyz", "/metrics", "/schema", "/schema/openapi.json", "/khong-co",
    API, f"{API}/mo", f"{API}/niem-phong", f"{API}/khong-co", f"{API}/mo/results", f"{API}/mo/results/{MINH.number}",
    f"{API}/ma/results/{MINH.number}", "/api", "/api/", "/api/v2/exams",
)  # fmt: skip
METHODS = (
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "REPORT", "SEARCH",
)  # fmt: skip
ODD_PARTS = (
    "%2F", "%2f..%2f", "..", "../..", "%2e%2e", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "//", "///", ".", "./.", "%00",
    "a%00b", "%0d%0aSet-Cookie:a=b", "%0a", "%c0%af", "%c0%ae%c0%ae", "%e0%80%af", "%f0%80%80%af", "%ff%fe",
    "%ed%a0%80", "%", "%4", "%zz", "%25", "%2525", "%u0041", "\\", "%5c..%5c", ";", ";a=b", "?", "?a", "?a=%00",
    "?=&&=;", "?a=1&a=2&a[]=3", "#a", "?%ff", "*", "~", "'", '"', "%27%20or%201=1--", "%3Cscript%3E", "{exam_code}",
    "{{7*7}}", "${7*7}", "%{7*7}", "$(id)", "\u0131", "\u1ed9", "\ufeff", "\U0001f600", "a" * 300, "a" * 3000,
    "%41" * 500, "%e1%bb%99" * 300, "/" * 200, "/a" * 200,
)  # fmt: skip
ODD_NUMBERS = (
    "0", "00000000", "99000001", "99000002", "99000003", "-1", "+99000001", "9.9e7", "1E8", "0x5E69EC1", "99000001.0",
    "9,9", "99 000 001", "99.000.001", "99-000-001", "９９０００００１", "٩٩٠٠٠٠٠١", "⁹⁹⁰⁰⁰⁰⁰¹", "99000001\u200b",
    "\u202e99000001", "99000001'", "99000001;--", "99000001%", "_9000001", "*", "null", "true", "NaN", "Infinity",
    "[]", "{}", "999999999999", "9" * 64, "9" * 65, "9" * 4000, "9" * 9000, "A" * 20, "Nguyễn Hoàng Minh", "\x00",
    "\x7f", "\x1b[31m", " ", "  ", "\t",
)  # fmt: skip
ODD_FACTS = (
    "", " ", "0", "01/02/2008", "1/2/2008", "2008-02-01", "29/02/2007", "31/4/2008", "00/00/0000", "99/99/9999",
    "2008", "32/1/2008", "1/13/2008", "01/02/08", "1-2-3", "9999999999", "1e9", "-1/2/2008", "１/２/２００８",
    "01/02/0000", "01/02/99999", "2008-W05-5", "2008-032", "now", "hôm nay", "7K2M9QXA4D", "7k2m9-qxa4d", "OOOOOOOOOO",
    "A" * 64, "A" * 65, "A" * 9000, "\x00", "\ud800", "é", "e\u0301", "\u200b", "İ", "ß", "{}",
    "'; drop table lookup.results; --",
)  # fmt: skip
NO_TEXT = (None, True, False, 0, -1, 99000001, 1.5, 10**40, [], ["99000001"], {}, {"$ne": ""}, [[[]]], {"a": {"b": 1}})
RAW_JSON = (
    b"", b" ", b"{", b"}", b"[", b"null", b"true", b"1", b'"99000001"', b"[]", b"[{}]", b"{}{}", b"{} x", b"{,}",
    b"{'a':1}", b'{"candidate_number"}', b'{"candidate_number":}', b'{"candidate_number":"99000001",}',
    b'{"candidate_number":NaN}', b'{"candidate_number":Infinity}', b'{"candidate_number":1e999}',
    b'{"candidate_number":01}', b'{"candidate_number":"\\ud800"}', b'{"candidate_number":"\xff"}',
    b'{"candidate_number":"\xc0\xaf"}', b'{"candidate_number":"\xed\xa0\x80"}', b'{"\\u0000":1}',
    b'{"candidate_number":"99000001","candidate_number":"99000002"}',
    b'{"candidate_number":"a","candidate_number":["b"]}', b'{"candidate_number":"99000001\x00"}',
    b'{"__proto__":{"a":1},"candidate_number":"99000001"}', b"\xef\xbb\xbf{}", b"//\n{}",
    '{"candidate_number":"99000001"}'.encode("utf-16"), '{"candidate_number":"99000001"}'.encode("utf-32"),
    b"[" * 8000, b'{"a":' * 2500, b'{"a":' * 2500 + b"1" + b"}" * 2500, b'{"candidate_number":' + b"[" * 7000,
    b"\x00" * 100, b'{"candidate_number":"' + b"9" * 15000 + b'"}', b'{"candidate_number":"' + b"9" * 40000 + b'"}',
    b"1" * 15000, gzip.compress(b'{"candidate_number":"99000001"}'), bytes(range(256)) * 20,
    b"{" + b'"a":1,' * 2000 + b'"b":2}',
)  # fmt: skip
RAW_FORMS = (
    b"candidate_number=99000001", b"candidate_number=99000001&candidate_number=99000002", b"candidate_number", b"=",
    b"&", b"&&&", b"=99000001", b"candidate_number=%", b"candidate_number=%zz", b"candidate_number=%00",
    b"candidate_number=%ff", b"candidate_number=%c0%af", b"candidate_number=\xff\xfe", b"candidate_number[]=99000001",
    b"candidate_number[a]=1", b"a=1;candidate_number=99000001", b"+", b"a=1&" * 199, b"a=1&" * 201, b"a=1&" * 3000,
    b"%" * 3000, b"candidate_number=" + b"9" * 20000,
    b'--x\r\nContent-Disposition: form-data; name="candidate_number"\r\n\r\n99000001\r\n--x--\r\n', b"--x\r\n",
    b"--x--", b'--x\r\nContent-Disposition: form-data; name="candidate_number"; filename="a"\r\n\r\n' + b"a" * 9000,
)  # fmt: skip
KINDS = (
    "application/json", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "APPLICATION/JSON",
    "application/json; charset=khong-co", "application/json;;;", "multipart/form-data; boundary=x",
    "multipart/form-data", "text/plain", "text/xml", "application/problem+json", "*/*", "/", "json", "", ";",
    "application/octet-stream", "\xff",
)  # fmt: skip
ODD_HEADERS = (
    ("Origin", "null"), ("Origin", "https://la.example"), ("Origin", "http://[::1"), ("Origin", "\xff"),
    ("Origin", ""), ("Origin", "https://" + "a" * 5000), ("Sec-Fetch-Site", "cross-site"),
    ("Sec-Fetch-Site", "\xe1\xbb\x99"), ("X-Real-IP", "khong-phai"), ("X-Real-IP", "1.2.3.4, 5.6.7.8"),
    ("X-Real-IP", "fe80::1%eth0"), ("X-Real-IP", "0"), ("X-Real-IP", "1.2.3.4\r\nX-Real-IP: 5.6.7.8"),
    ("X-Real-IP", "9" * 500), ("X-Forwarded-For", "127.0.0.1"), ("Forwarded", "for=_x"), ("Accept", "image/*"),
    ("Accept", "q=;;"), ("Accept", "\xff"), ("Accept-Encoding", "br;q=0, *;q=x"), ("Accept-Encoding", "gzip, gzip"),
    ("Accept-Language", "a" * 4000), ("Range", "bytes=0-0"), ("Range", "bytes=-1,2-1,a-b"), ("If-None-Match", "*"),
    ("If-Match", '"'), ("If-Modified-Since", "hom nay"), ("Expect", "100-continue"), ("Expect", "khong-the"),
    ("Cookie", "a=b; " * 500), ("Cookie", "\xff="), ("Authorization", "Basic %%%"),
    ("Authorization", "Bearer " + "a" * 4000), ("X-HTTP-Method-Override", "DELETE"), ("TE", "trailers"),
    ("Content-Encoding", "gzip"), ("Content-Encoding", "khong-co"), ("Transfer-Encoding", "identity"),
    ("Via", "1.0 a, " * 300), ("Upgrade", "h2c"), ("Upgrade", "websocket"), ("Connection", "Upgrade, HTTP2-Settings"),
    ("Connection", "close, keep-alive"), ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "\xff"), ("X-Original-URL", "/metrics"), ("Host", "la.example"),
    ("Host", "a b"), ("Host", ""), ("Host", "[::1"), ("Host", "x:99999"), ("Host", "\xff"), ("Referer", "\x80\x81"),
    ("User-Agent", ""),
)  # fmt: skip
