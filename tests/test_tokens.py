"""Several tokens: whose each is, and which settings for them are refused."""

import pytest
from pydantic import ValidationError

from comfygen_mcp.config import HttpSettings, load_settings
from comfygen_mcp.config_rows import describe
from comfygen_mcp.errors import BadConfiguration
from comfygen_mcp.server.token import Holder, Tokens, check_address, tokens_of

ALICE, BOB, ADMIN = "alice-alice-alice-1", "bob-bob-bob-bob-bob-2", "the one that sees all"


@pytest.fixture
def tokens():
    return Tokens(ADMIN, {"alice": ALICE, "bob": BOB})


@pytest.mark.parametrize(
    ("header", "holder"),
    [
        (f"Bearer {ALICE}", Holder("alice")),
        (f"bearer  {BOB} ", Holder("bob")),
        (f"Bearer {ADMIN}", Holder(None)),
        (f"Bearer {ALICE}x", None),
        (f"Basic {ALICE}", None),
        ("Bearer", None),
        ("", None),
    ],
)
def test_a_token_tells_its_holder(tokens, header, holder):
    assert tokens.holder(header.encode() or None) == holder


def test_without_any_token_everybody_sees_everything():
    assert Tokens(None, {}).holder(None) == Holder(None)
    assert Tokens(None, {}).holder(b"Bearer whatever") == Holder(None)


def test_with_named_tokens_only_nobody_comes_in_without_one():
    assert Tokens(None, {"alice": ALICE}).holder(None) is None


def test_named_tokens_allow_an_open_address():
    settings = HttpSettings.model_validate({"host": "0.0.0.0", "tokens": {"alice": ALICE}})

    check_address(settings)

    assert tokens_of(settings).holder(f"Bearer {ALICE}".encode()) == Holder("alice")


@pytest.mark.parametrize(
    ("tokens", "reason"),
    [
        ({"alice": "short"}, "at least 16"),
        ({"a lice": ALICE}, "letters, digits"),
        ({"": ALICE}, "letters, digits"),
        ({"alice": ALICE, "bob": ALICE}, "differ"),
    ],
)
def test_tokens_that_protect_nothing_are_refused(tokens, reason):
    with pytest.raises(ValidationError, match=reason):
        HttpSettings.model_validate({"tokens": tokens})


def test_tokens_come_from_the_environment_and_are_never_shown(tmp_path):
    loaded = load_settings(environ={"COMFYGEN_HTTP_TOKENS": f"alice={ALICE}, bob={BOB}"}, cwd=tmp_path)

    assert loaded.settings.http.tokens["bob"].get_secret_value() == BOB
    row = next(row for row in describe(loaded) if row.setting == "http.tokens")
    assert row.value == "alice: (set, hidden), bob: (set, hidden)"


@pytest.mark.parametrize("text", ["justatoken-of-some-length", f"alice={ALICE},{BOB}"])
def test_a_variable_of_another_form_is_refused_without_repeating_it(tmp_path, text):
    with pytest.raises(BadConfiguration) as caught:
        load_settings(environ={"COMFYGEN_HTTP_TOKENS": text}, cwd=tmp_path)

    assert "COMFYGEN_HTTP_TOKENS" in str(caught.value)
    assert "justatoken" not in str(caught.value)
    assert BOB not in str(caught.value)
