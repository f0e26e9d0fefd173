"""G13: the watch keeps a signed permission for each target, and nothing outside loopback is touched without one."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rasd.watch.permission import (
    WELL_KNOWN,
    NotAPermission,
    Permission,
    Permit,
    Refusal,
    Why,
    key_of,
    new_key,
    permitted,
    read_signed,
    sign,
)

OWNER, SOMEBODY = new_key(), new_key()
NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)  # a Sunday, 12:00 in Muscat
STATEMENT = """\
service: The site of an example
granted_by: its head of digital service
asked_by: the quality office
call: its duty desk, 24 hours, +968 24 000000
begins: 2026-11-01T00:00:00+04:00
ends: 2027-11-01T00:00:00+04:00
zone: Asia/Muscat
origins:
  - https://example.org
  - https://shop.example.org/help
  - https://مثال.example.org
  - http://10.1.2.3:8080
mail: [example.org, Desk@post.example.net, مثال.example.com]
chat: ["whatsapp:+96824000000"]
visits_a_day: 48
not_during:
  - {days: [fri], from: 11:30, until: "13:30"}
  - {from: "23:00", until: 05:00}
may_submit: [requests whose subject begins with TEST]
"""
SIGNED = sign(STATEMENT, OWNER)
GRANTED = Permission(text=SIGNED, owner_key=key_of(OWNER))


def outside(host: str) -> list[str]:
    return ["192.0.2.7"]


def ask(
    url: str, granted: Permission | None = GRANTED, now: datetime = NOW, **more: object
) -> Permit | Refusal:
    return permitted(url, granted, now, **({"resolve": outside} | more))  # type: ignore[arg-type]


def why(url: str, granted: Permission | None = GRANTED, now: datetime = NOW, **more: object) -> Why | None:
    answer = ask(url, granted, now, **more)
    return answer.why if isinstance(answer, Refusal) else None


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org",
        "https://example.org/",
        "HTTPS://EXAMPLE.org/Any/Path?q=1#there",
        "https://example.org:443/x",
        "https://example.org/?next=https://evil.org@x",
        "https://example.org/%D8%AF%D8%B9%D9%85",
        "https://example.org/my page?q=two words",
        "https://shop.example.org/help",
        "https://shop.example.org/help/me?a=b",
        "https://shop.example.org/h%65lp/",
        "https://مثال.example.org/طلب",
        "https://xn--mgbh0fb.example.org/",
        "http://10.1.2.3:8080/x",
        "mailto:anybody@example.org",
        "mailto:desk@post.example.net?subject=x",
        "mailto:a@xn--mgbh0fb.example.com",
        "whatsapp:+96824000000",
    ],
)
def test_g13_goes_where_the_owner_permits(url: str) -> None:
    assert isinstance(ask(url), Permit)


ELSEWHERE = [
    "http://example.org/",  # not over TLS: another origin
    "https://example.org:8443/",
    "https://example.com",
    "https://example.com.evil.org",
    "https://example.org.evil.org/",
    "https://evil-example.org",
    "https://www.example.org/",
    "https://shop.example.org/",
    "https://shop.example.org/helper",
    "https://shop.example.org/Help",
    "https://shop.example.org/help%2Fme",
    "https://evil.org/https://example.org/",
    "https://evil.org/?https://example.org",
    "https://evil.org#https://example.org",
    "https://xn--xample-9uf.org",  # еxample.org, with a Cyrillic letter
    "https://еxample.org",
    "http://10.1.2.4:8080/",
    "http://10.1.2.3/",
    "http://[2001:db8::1]/",
    "https://192.0.2.1/",
    "http://0.0.0.0/",
    "mailto:desk@mail.example.org",
    "mailto:other@post.example.net",
    "whatsapp:+96824000001",
]
NOT_PLAIN = [
    "https://example.org@evil.org/",
    "https://example.org:x@evil.org/",
    "https://evil.org\\@example.org/",
    "https://example.org\\.evil.org",
    "https:example.org",
    "https:/example.org",
    "https:///example.org",
    "//example.org/",
    "https://example.org.",
    "https://localhost./",
    "https://exa\tmple.org/",
    "https://example.org/\n",
    " https://example.org/",
    "https://exam\u200bple.org/",
    "https://example。org.evil\\",
    "https://example%2eorg/",
    "https://%65xample.org/",
    "https://example..org/",
    "https://-example.org/",
    "https://exa_mple.org/",
    "https://xn--a/",
    "https://example.org:0/",
    "https://example.org:99999/",
    "https://example.org:٤٤٣/",
    "http://127.1/",
    "http://127.0.1/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.1./",
    "http://1.2.3.4.5/",
    "http://example.1/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::1%25lo]/",
    "http://[::1/",
    "http://::1/",
    "http://[]/",
    "https://shop.example.org/help/../admin",
    "https://shop.example.org/help/%2e%2e/admin",
    "https://shop.example.org/help/%252e%252e/admin",
    "https://shop.example.org/help/..%2fadmin",
    "https://shop.example.org/help/..%5cadmin",
    "https://shop.example.org/help\\..\\admin",
    "mailto:a@example.org@evil.org",
    "mailto:a@example.org,b@evil.org",
    "mailto:",
    "mailto:a@example.org%0abcc:b@evil.org",
    "javascript alert",
    "",
    "example.org",
]


@pytest.mark.parametrize("url", ELSEWHERE)
def test_g13_goes_nowhere_else(url: str) -> None:
    assert why(url) is Why.ELSEWHERE
    assert why(url, None) is Why.NO_PERMISSION


@pytest.mark.parametrize("url", NOT_PLAIN)
def test_g13_what_browsers_would_read_in_several_ways_is_not_asked_for(url: str) -> None:
    assert why(url) is Why.NOT_PLAIN
    assert why(url, None) is Why.NOT_PLAIN


@pytest.mark.parametrize(
    "scheme", ["file:///etc/passwd", "ftp://example.org/", "ws://example.org/", "javascript:alert(1)"]
)
def test_g13_other_schemes_are_nobodys_to_permit(scheme: str) -> None:
    assert why(scheme) is Why.ELSEWHERE


HOME = {"localhost": ["127.0.0.1", "::1"]}


@pytest.mark.parametrize(
    ("url", "leads_to", "goes"),
    [
        ("http://127.0.0.1/", [], True),
        ("http://127.8.9.10:8000/x", [], True),
        ("http://[::1]:9/", [], True),
        ("http://[0:0:0:0:0:0:0:1]/", [], True),
        ("http://localhost:8000/", ["127.0.0.1", "::1"], True),
        ("http://LOCALHOST/", ["::1"], True),
        ("http://localhost/", ["127.0.0.1", "192.0.2.7"], False),
        ("http://localhost/", ["192.0.2.7"], False),
        ("http://localhost/", [], False),
        ("http://localhost.evil.org/", ["127.0.0.1"], False),
        ("http://evil.org/", ["127.0.0.1"], False),
        ("http://app.localhost/", ["127.0.0.1"], False),
        ("http://[::2]/", [], False),
        ("http://128.0.0.1/", [], False),
        ("mailto:somebody@shop.test", [], True),
        ("mailto:somebody@shop.test.evil.org", [], False),
    ],
)
def test_g13_loopback_needs_no_permission_and_nothing_else_is_loopback(
    url: str, leads_to: list[str], goes: bool
) -> None:
    assert isinstance(permitted(url, None, NOW, resolve=lambda host: leads_to), Permit) is goes


@pytest.mark.parametrize("home", ["127.0.0.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "127.3.3.3", "::"])
def test_g13_a_permitted_name_that_leads_to_this_machine_is_refused_however_it_hides_it(home: str) -> None:
    assert why("https://example.org/", resolve=lambda host: ["192.0.2.7", home]) is Why.HOME


def test_g13_a_name_that_nobody_knows_is_left_to_the_visit_to_report() -> None:
    assert why("https://example.org/", resolve=lambda host: []) is None


LABELS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=12)


@given(
    host=st.lists(LABELS, min_size=1, max_size=4).map(".".join),
    port=st.integers(0, 70000),
    path=st.text(max_size=20),
)
def test_g13_no_other_host_is_ever_taken_for_a_permitted_one(host: str, port: int, path: str) -> None:
    answer = ask(f"https://{host}:{port}/{path}")
    if host not in {"example.org", "shop.example.org", "xn--mgbh0fb.example.org", "127.0.0.1"} or port != 443:
        assert isinstance(answer, Refusal) or host.startswith("127.")


@given(before=st.text(max_size=12), after=st.text(max_size=12))
def test_g13_whatever_stands_around_a_permitted_address_leads_there_or_nowhere(
    before: str, after: str
) -> None:
    """``after`` may be a path, a port, a continuation of the name; only what is still the origin is gone to."""
    if isinstance(ask(f"https://{before}example.org{after}"), Permit):
        assert (
            before == ""
            or before.casefold() in {"shop."}
            or before.endswith("مثال.")
            or before.startswith("xn--mgbh0fb.")
        )
        assert after == "" or after[0] in "/?#" or after.startswith(":443")


@given(st.text())
def test_g13_nothing_that_is_written_breaks_the_question(url: str) -> None:
    for each in (url, f"https://{url}", f"https://example.org/{url}", f"mailto:{url}", f"http://[{url}]/"):
        assert isinstance(ask(each, None), Permit | Refusal)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 31, 19, 59, 59, tzinfo=UTC), Why.NOT_YET),
        (datetime(2026, 11, 1, 8, tzinfo=UTC), None),
        (datetime(2027, 10, 31, 8, tzinfo=UTC), None),
        (datetime(2027, 10, 31, 20, tzinfo=UTC), Why.EXPIRED),
        (datetime(2026, 11, 27, 7, 29, tzinfo=UTC), None),  # Friday, 11:29 in Muscat
        (datetime(2026, 11, 27, 7, 30, tzinfo=UTC), Why.HOURS),
        (datetime(2026, 11, 27, 9, 29, tzinfo=UTC), Why.HOURS),
        (datetime(2026, 11, 27, 9, 30, tzinfo=UTC), None),
        (datetime(2026, 11, 26, 8, tzinfo=UTC), None),  # Thursday noon
        (datetime(2026, 11, 22, 19, tzinfo=UTC), Why.HOURS),  # 23:00
        (datetime(2026, 11, 23, 0, 59, tzinfo=UTC), Why.HOURS),  # 04:59
        (datetime(2026, 11, 23, 1, tzinfo=UTC), None),
    ],
)
def test_g13_comes_only_in_the_time_and_hours_that_are_permitted(now: datetime, expected: Why | None) -> None:
    assert why("https://example.org/", now=now) is expected


def test_g13_an_unchanged_statement_survives_what_mail_does_to_it() -> None:
    assert read_signed("\ufeff" + SIGNED.replace("\n", "\r\n")).statement == read_signed(SIGNED).statement


@given(st.data())
def test_g13_whatever_is_changed_in_a_signed_statement_makes_it_void(data: st.DataObject) -> None:
    where = data.draw(st.integers(0, SIGNED.index("\n---\n") - 1))
    letter = data.draw(st.characters(codec="utf-8", exclude_characters="\r\n\ufeff" + SIGNED[where]))
    changed = SIGNED[:where] + letter + SIGNED[where + 1 :]
    assert why("https://example.org/", Permission(text=changed, owner_key=key_of(OWNER))) is Why.NOT_SIGNED


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (STATEMENT, "not signed"),
        (STATEMENT + "---\n", "cannot be read"),
        (STATEMENT + f"---\nkey: {key_of(OWNER)}\nsignature: AAAA\n", "does not fit"),
        (STATEMENT + f"---\nkey: {key_of(OWNER)}\nsignature: 'ل'\n", "does not fit"),
        (STATEMENT + "---\nkey: ed25519:AAAA\nsignature: AAAA\n", "cannot be read"),
        (SIGNED.replace(key_of(OWNER), key_of(SOMEBODY)), "does not fit"),
        (SIGNED.replace("visits_a_day: 48", "visits_a_day: 4800"), "does not fit"),
        ("", "not signed"),
    ],
)
def test_g13_a_file_that_is_not_well_signed_permits_nothing_and_says_why(text: str, says: str) -> None:
    answer = ask("https://example.org/", Permission(text=text, owner_key=key_of(OWNER)))
    assert isinstance(answer, Refusal)
    assert answer.why is Why.NOT_SIGNED
    assert says in answer.words


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"ends: 2027": "ends: 2025"}, "ends before it begins"),
        ({"+04:00\nends": "\nends"}, "begins"),
        ({"https://example.org\n": "https://example.org/?all\n"}, "without '?'"),
        ({"https://example.org\n": "https://*.example.org\n"}, "no name of a host"),
        ({"mail: [example.org": "mail: [example.org/x"}, "neither a mail domain"),
        ({"visits_a_day: 48\n": ""}, "'visits_a_day' is missing"),
        ({"call: its duty desk, 24 hours, +968 24 000000\n": ""}, "'call' is missing"),
        ({"zone: Asia/Muscat": "zone: Asia/Nowhere"}, "time zone"),
        ({"zone: Asia/Muscat": "---\nzone: Asia/Muscat"}, "'---'"),
    ],
)
def test_a_statement_that_says_too_little_is_not_signed(change: dict[str, str], says: str) -> None:
    text = STATEMENT
    for old, new in change.items():
        assert old in text
        text = text.replace(old, new)
    with pytest.raises(NotAPermission, match=says):
        sign(text, OWNER)


def published(origin: str, text: str) -> Permission:
    return Permission(text=SIGNED, posted={origin: text})


KEY, OTHER = key_of(OWNER), key_of(SOMEBODY)


@pytest.mark.parametrize(
    ("granted", "url", "expected"),
    [
        (Permission(text=SIGNED), "https://example.org/", Why.UNKNOWN_KEY),
        (Permission(text=SIGNED, owner_key=OTHER), "https://example.org/", Why.UNKNOWN_KEY),
        (published("https://example.org", f"# ours\n{KEY}\n"), "https://example.org/", None),
        (published("https://example.org", f"{OTHER}\r\n{KEY}\r\n"), "https://example.org/", None),
        (published("https://example.org", SIGNED), "https://example.org/", None),
        (published("https://example.org", OTHER), "https://example.org/", Why.UNKNOWN_KEY),
        (published("https://example.org", f"<html>{KEY}</html>"), "https://example.org/", Why.UNKNOWN_KEY),
        (published("https://example.org", KEY), "https://shop.example.org/help", Why.UNKNOWN_KEY),
        (published("https://example.org", KEY), "mailto:a@example.org", None),
        (published("https://example.org", KEY), "mailto:desk@post.example.net", Why.UNKNOWN_KEY),
        (published("https://example.org", KEY), "whatsapp:+96824000000", Why.UNKNOWN_KEY),
        (published("https://example.org", f"{KEY}\nwithdrawn: {KEY}"), "https://example.org/", Why.WITHDRAWN),
        (published("https://example.org", f"withdrawn: {OTHER}\n{KEY}"), "https://example.org/", None),
        (
            GRANTED.model_copy(update={"posted": {"https://example.org": "withdrawn: all"}}),
            "https://example.org/",
            Why.WITHDRAWN,
        ),
    ],
)
def test_g13_a_key_counts_where_its_owner_publishes_it_or_where_it_was_handed_over(
    granted: Permission, url: str, expected: Why | None
) -> None:
    assert why(url, granted) is expected


def test_g13_where_nothing_may_be_submitted_nothing_is_sent() -> None:
    text = sign(STATEMENT.replace("may_submit: [requests whose subject begins with TEST]\n", ""), OWNER)
    looking = Permission(text=text, owner_key=KEY)
    assert why("https://example.org/", looking) is None
    assert why("https://example.org/", looking, sends=True) is Why.NOTHING_SENT
    assert why("mailto:a@example.org", looking) is Why.NOTHING_SENT
    assert why("https://example.org/", sends=True) is None


def test_g13_crosses_to_the_playing_process_whole() -> None:
    again = Permission.model_validate_json(GRANTED.model_dump_json())
    assert why("https://example.org/", again) is None
    assert why("https://example.com/", again) is Why.ELSEWHERE
    assert read_signed(SIGNED).statement.ends - NOW > timedelta(days=300)
    assert WELL_KNOWN == "/.well-known/rasd-permission"
