"""HTTP that is none: request lines, headers, lengths and chunks that do not fit together."""

_HOST = b"Host: 127.0.0.1\r\nX-Real-IP: {address}\r\n"
_JSON = b"Content-Type: application/json\r\n"
_LONG = b"a" * 70_000
_CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
_TOO_LARGE = b" " * 16_384

_LINES = (
    b"", b"\r\n", b"\x00", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET", b"GET\r\n\r\n", b"GET {route}\r\n\r\n", b"GET  {route} HTTP/1.1\r\n", b"GET\t{route}\tHTTP/1.1\r\n",
    b" GET {route} HTTP/1.1\r\n", b"get {route} HTTP/1.1\r\n", b"GET {route} HTTP/1.0\r\n",
    b"GET {route} HTTP/0.9\r\n", b"GET {route} HTTP/2.0\r\n", b"GET {route} HTTP/9.9\r\n", b"GET {route} HTTP/1\r\n",
    b"GET {route} http/1.1\r\n", b"GET {route} HTTP/1.1 x\r\n", b"GET {route} XTTP/1.1\r\n",
    b"GET {route}\x00 HTTP/1.1\r\n", b"GET {route}\xff HTTP/1.1\r\n", b"GET {route} {route} HTTP/1.1\r\n",
    b"GET http://127.0.0.1{route} HTTP/1.1\r\n", b"GET https://la.example{route} HTTP/1.1\r\n",
    b"GET http://a:b@127.0.0.1:x{route} HTTP/1.1\r\n", b"GET //la.example{route} HTTP/1.1\r\n",
    b"GET ftp:{route} HTTP/1.1\r\n", b"GET * HTTP/1.1\r\n", b"OPTIONS * HTTP/1.1\r\n",
    b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n", b"GET ? HTTP/1.1\r\n", b"CONNECT {route} HTTP/1.1\r\n",
    b"GET .{route} HTTP/1.1\r\n", b"GET {route}?" + _LONG + b" HTTP/1.1\r\n", b"GET /" + _LONG + b" HTTP/1.1\r\n",
    _LONG[:200] + b" {route} HTTP/1.1\r\n", b"G\x00T {route} HTTP/1.1\r\n", b"GET {route} HTTP/1.1\n",
    b"GET {route} HTTP/1.1\r", b"HTTP/1.1 200 OK\r\n",
)  # fmt: skip
_FIELDS = (
    b"", b": a\r\n", b"a\r\n", b"a:\r\n", b"a : b\r\n", b" a: b\r\n", b"a: b\r\n c\r\n", b"a: b\x00c\r\n",
    b"a: b\nc: d\r\n", b"a: b\rc: d\r\n", b"\xff: a\r\n", b"a(b): c\r\n", b"a: " + _LONG + b"\r\n", _LONG + b": a\r\n",
    b"a: b\r\n" * 3000, b"Host: a\r\nHost: b\r\n", b"Content-Length: 0\r\nContent-Length: 5\r\n",
    b"Connection: \xff\r\n", b"Connection: " + b"a," * 4000 + b"\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\n",
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YQ==\r\n",
    b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n",
    b"X-Real-IP: 1.2.3.4\r\n", b"Expect: 100-continue\r\n",
)  # fmt: skip
_BODIES = (
    b"\r\n{}", b"Content-Length: 2\r\n\r\n{", b"Content-Length: 2\r\n\r\n{}{}", b"Content-Length: -2\r\n\r\n{}",
    b"Content-Length: x\r\n\r\n{}", b"Content-Length: 2, 2\r\n\r\n{}", b"Content-Length: 0x2\r\n\r\n{}",
    b"Content-Length: +2\r\n\r\n{}", b"Content-Length: 2.0\r\n\r\n{}", b"Content-Length:\r\n\r\n{}",
    b"Content-Length: 99999999999999999999999\r\n\r\n{}", b"Content-Length: 10000000\r\n\r\n{}",
    b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", _CHUNKED, _CHUNKED + b"2\r\n{}",
    _CHUNKED + b"2\r\n{}\r\n0\r\n\r\n", _CHUNKED + b"2;a=b\r\n{}\r\n0\r\nX: y\r\n\r\n", _CHUNKED + b"z\r\n{}\r\n",
    _CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n", _CHUNKED + b"ffffffffffffffffff\r\n{}\r\n",
    _CHUNKED + b"1\r\n{}\r\n0\r\n\r\n", _CHUNKED + b"1\r\n \r\n" * 20_000 + b"0\r\n\r\n",
    _CHUNKED + b"4000\r\n" + _TOO_LARGE + b"\r\n4000\r\n" + _TOO_LARGE + b"\r\n0\r\n\r\n",
    b"Transfer-Encoding: chunked, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b"Transfer-Encoding: gzip\r\n\r\n{}",
    b"Transfer-Encoding: \xff\r\n\r\n{}", b"Transfer-Encoding: xchunked\r\n\r\n{}",
    b"Content-Length: 20000\r\n\r\n" + b"9" * 20_000, b"Content-Length: 1000000\r\n\r\n" + b"9" * 1_000_000,
    b"Content-Length: 16385\r\n\r\n" + b" " * 16_385,
)  # fmt: skip

BROKEN_FRAMES = (
    *(line + _HOST + b"\r\n" for line in _LINES),
    *(line for line in _LINES if line),
    *(b"GET {route} HTTP/1.1\r\n" + _HOST + field + b"\r\n" for field in _FIELDS),
    *(b"GET {route} HTTP/1.0\r\n" + field + b"\r\n" for field in _FIELDS),
    *(b"POST {route} HTTP/1.1\r\n" + _HOST + _JSON + body for body in _BODIES),
    *(b"GET {route} HTTP/1.1\r\n" + _HOST + _JSON + body for body in _BODIES),
)
