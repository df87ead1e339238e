"""Signed links: good as they were made, and in no other form."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from comfygen_mcp.server.links import FileLinks

SECRET = "a secret of some length"
KEY = "g/2026/11/21/20261121_084100_é & ü?_0.png"


def links(secret=SECRET, now=1000.0):
    return FileLinks(secret, valid_s=60, now=lambda: now)


def parts(url):
    split = urlsplit(url)
    query = parse_qs(split.query)
    return unquote(split.path).removeprefix("/files/"), query["e"][0], query["s"][0]


def test_a_link_is_good_until_it_expires():
    signed = parts(links().url("http://host:1", KEY))

    assert signed[0] == KEY
    assert links().remaining_s(*signed) == 60
    assert links(now=1059.9).remaining_s(*signed) == 1
    assert links(now=1060.0).remaining_s(*signed) == 0
    assert links(now=9999.0).remaining_s(*signed) == 0


@pytest.mark.parametrize(
    "changed",
    [
        lambda key, e, s: (key + "x", e, s),
        lambda key, e, s: (key[1:], e, s),
        lambda key, e, s: (key, str(int(e) + 1), s),
        lambda key, e, s: (key, "0" + e, s),
        lambda key, e, s: (key, e + " ", s),
        lambda key, e, s: (key, "", s),
        lambda key, e, s: (key, "9" * 500, s),
        lambda key, e, s: (key, e, s[:-1]),
        lambda key, e, s: (key, e, s + "="),
        lambda key, e, s: (key, e, ""),
        lambda key, e, s: (key, e, "é"),
        lambda key, e, s: (key + "\n", e, s),
        lambda key, e, s: ("\udcff", e, s),
    ],
)
def test_a_changed_link_is_no_link(changed):
    signed = parts(links().url("http://host:1", KEY))

    assert links().remaining_s(*changed(*signed)) == 0


def test_an_expiry_that_is_no_number_is_refused_even_when_signed():
    ours = links()

    assert ours.remaining_s(KEY, "soon", ours._signature(KEY, "soon")) == 0


def test_another_secret_makes_other_signatures_and_without_one_each_process_has_its_own():
    signed = parts(links().url("http://host:1", KEY))

    assert links("another secret, as long").remaining_s(*signed) == 0
    assert links(None).remaining_s(*signed) == 0
    assert links(None).remaining_s(*parts(links(None).url("http://host:1", KEY))) == 0


def test_a_configured_secret_keeps_links_good_over_a_restart():
    signed = parts(links("the same").url("http://host:1", KEY))

    assert links("the same").remaining_s(*signed) == 60
