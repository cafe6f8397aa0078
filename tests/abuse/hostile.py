"""What somebody sends who means no good, or whose program is broken: values, fields, bodies and bytes. No list of an attack tool; each kind once or a few times."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from hypothesis import strategies as st

XSS = (
    "<script>alert(1)</script>",
    "<script src=//evil.example/x.js></script>",
    "<ScRiPt>alert`1`</sCrIpT>",
    "</script><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</textarea><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    "]]><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img/src=`x`onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' onfocus='alert(1)' autofocus x='",
    "` onmouseover=alert(1) `",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=javascript:alert(1)></object>",
    "<embed src=javascript:alert(1)>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>x</details>",
    "<video><source onerror=alert(1)></video>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](x onerror=alert(1))",
    "<javascript:alert(1)>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css'</style>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u003cscript\u003ealert(1)\u003c/script\u003e",
    "{{constructor.constructor('alert(1)')()}}",
    "<x style=animation-name:a onanimationstart=alert(1)>",
)
SQL = (
    "'",
    "' OR '1'='1",
    "1; DROP TABLE respondent; --",
    "1' AND pg_sleep(5) --",
    "1 UNION SELECT name, password FROM staff --",
    '" OR ""="',
    "') OR randomblob(1000000000) --",
    "%' OR name LIKE '%",
    "1/*",
    "\\'; --",
)
NUMBERS = (
    "NaN",
    "nan",
    "Infinity",
    "-inf",
    "1e400",
    "-1e400",
    "1e-400",
    "9" * 5000,
    "-" + "9" * 30,
    "-1",
    "0",
    "18446744073709551616",
    "9223372036854775808",
    "2147483648",
    "٣",
    "１２",
    "²",
    "½",
    "1_000",
    "0x10",
    " 1",
    "1\u00a0000",
    "1.5.5",
    "1,5,5",
    "-0",
    "1e5",
    "--1",
    "1.",
    ".5",
    "true",
    "null",
    "None",
)
SIGNS = (
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\r\nSet-Cookie: x=1",
    "x\r\nLocation: https://evil.example",
    "\u202eabc",
    "\u2066\u2069",
    "a\u200b\u200d\ufeffb",
    "\ufeff",
    "\x1b[31m",
    "\x7f\x80\x9f",
    "\u2028\u2029",
    "Z" + "\u0301" * 300,
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\uffff\ufffe",
    "ß".upper() + "İ" + "ŉ",
    "",
    " ",
    "\n\n\n",
)
TEMPLATES = (
    "{{7*7}}",
    "{{ config.items() }}",
    "{% for x in [].__class__.__base__.__subclasses__() %}{% endfor %}",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "{0.__class__.__init__.__globals__}",
    "{answer:core_problem}",
    "{answer:nothing}",
    "{id}",
    "%(x)s %s %n %d",
    "{",
    "}",
    "$(id)",
    "`id`",
    "; cat /etc/passwd",
    "| id",
)
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "＠x",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("//x")',
)
PLACES = (
    "../../../etc/passwd",
    "..\\..\\x",
    "/etc/passwd",
    "C:\\x",
    "file:///etc/passwd",
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "javascript:alert(1)",
    "con",
    ".",
    "..",
    "~",
    "x" * 300,
)
# Signs of which careless patterns make minutes of work.
BAIT = tuple(
    (part * 50_000)[:50_000] + end
    for part, end in (
        ("a", "!"),
        ("1", "x"),
        ("1.", "x"),
        ("1,", "x"),
        ("1.234.", "x"),
        (" ", "x"),
        ("\n", "x"),
        ("\t", "="),
        ("(", ")"),
        ("-", ">"),
        ("a@", "!"),
        ("a.", "@"),
        ("{answer:", "}"),
        ("*", "a"),
        ("[", "]"),
        ("[](", ")"),
        ("_a", "_"),
        ("`", "a"),
        ("<", ">"),
        ("&", ";"),
        ("\\", "\\"),
        ("é", "!"),
        ("\u200b", "x"),
        ("a\u0301", "!"),
        ("0", "1"),
        ("{id}", "x"),
        ("https://", "x"),
        ("%", "0"),
    )
)
VALUES = (*XSS, *SQL, *NUMBERS, *SIGNS, *TEMPLATES, *FORMULAS, *PLACES)
# Fields that no form of a respondent has, and that somebody may wish it had.
FORGED = ("price", "version", "design_version", "status", "completed_at", "user", "role", "weight", "simulated", "id", "respondent_id", "slug", "study", "csrf_token", "__proto__", "constructor", "order", "outcome")  # fmt: skip
JSON = (
    b'{"seed": NaN}',
    b'{"seed": Infinity}',
    b'{"seed": 1e400}',
    b'{"seed": -1e400}',
    b'{"seed": 1e5}',
    b'{"seed": ' + b"9" * 5000 + b"}",
    b'{"seed": -' + b"9" * 5000 + b"}",
    b'{"seed": 18446744073709551616}',
    b'{"seed": 9223372036854775808}',
    b'{"seed": true}',
    b'{"seed": null}',
    b"[" * 100_000,
    b"[" * 100_000 + b"]" * 100_000,
    b'{"a":' * 50_000,
    b'{"model": ' + b"[" * 60 + b"]" * 60 + b"}",
    b'{"model": "\\ud800"}',
    b'{"model": "\\udfff\\ud800"}',
    b'{"model": "a\\u0000b"}',
    b'{"model": "\x00"}',
    b'{"model": "\xff"}',
    b'{"model": "auto", "model": "conditional"}',
    b'{"without": "all", "without": "none"}',
    b'{"__proto__": {}}',
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"",
    b"null",
    b"0",
    b'"auto"',
    b"{'model': 'auto'}",
    b'{"model": "auto",}',
    b"{}{}",
    b"--x\r\n",
)

value = st.one_of(
    st.sampled_from(VALUES),
    st.sampled_from(BAIT),
    st.text(max_size=200),
    st.text(st.characters(categories=["Cs", "Cc", "Cf", "Co"]), max_size=20),
    st.integers().map(str),
    st.floats().map(str),
)
short = value.filter(lambda text: len(text) <= 1_000)


def fields(valid: dict[str, list[str]]) -> st.SearchStrategy[list[tuple[str, str]]]:
    """A form as somebody sends it: some fields wrong, missing or doubled, some that it does not have; the others as they should be."""
    names = sorted(valid)

    @st.composite
    def made(draw: st.DrawFn) -> list[tuple[str, str]]:
        sent = {name: list(values) for name, values in valid.items()}
        wrong = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
        for name in wrong:
            how = draw(st.sampled_from(("replaced", "replaced", "doubled", "missing", "added")))
            given = draw(value)
            if how == "missing":
                del sent[name]
            elif how == "doubled":
                sent[name] = sent[name] * 2
            else:
                sent[name] = [given] if how == "replaced" else [*sent[name], given]
        pairs = [(name, text) for name, texts in sent.items() for text in texts]
        pairs += [(name, draw(short)) for name in draw(st.lists(st.sampled_from(FORGED), max_size=2))]
        if draw(st.integers(0, 9)) == 0:
            pairs.append((draw(short), draw(short)))
        return pairs

    return made()


def zipped(parts: dict[str, bytes]) -> bytes:
    """A zip of these parts."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


def bent(valid: bytes) -> st.SearchStrategy[bytes]:
    """Bytes of a good file, broken: cut, with bytes changed, doubled or put in."""

    @st.composite
    def made(draw: st.DrawFn) -> bytes:
        content = bytearray(valid)
        for _ in range(draw(st.integers(1, 4))):
            place = draw(st.integers(0, max(0, len(content) - 1)))
            how = draw(st.sampled_from(("cut", "put in", "changed", "doubled")))
            if how == "cut":
                del content[place : place + draw(st.integers(1, 200))]
            elif how == "put in":
                content[place:place] = draw(value).encode("utf-8", "surrogatepass")
            elif how == "changed" and content:
                content[place] = draw(st.integers(0, 255))
            else:
                content[place:place] = content[max(0, place - 100) : place]
        return bytes(content)

    return made()


def document(scalars: st.SearchStrategy[Any] | None = None) -> st.SearchStrategy[Any]:
    """Anything that JSON or TOML can say."""
    leaf = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), short) if scalars is None else scalars
    keys = short.filter(lambda text: not any("\ud800" <= sign <= "\udfff" for sign in text))
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=8
    )
