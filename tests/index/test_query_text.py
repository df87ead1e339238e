"""Words of texts and of what people type, without any index."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.index.query_text import Term, terms_of, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Red castle, don't", "red castle don t"),
        ("1girl, (masterpiece:1.2), <lora:foo_bar:0.8>", "1girl masterpiece 1 2 lora foo bar 0 8"),
        ("Élan ﬁre \uff21\uff22\uff23", "elan fire abc"),
        ("straße Ǆ ½ ㎏", "strasse dz 1 2 kg"),
        ("猫がいる cat", "猫 が い る cat"),
        ("ｶﾞ が", "ガ が"),
        ("한국어", "한 국 어"),
        ("ไทย", "ไ ท ย"),
        ("हिन्दी में", "हिन्दी में"),
        ("يَوْم שָׁלוֹם", "يوم שלום"),
        ("👩‍🚀 ❤️🔥 👍🏽 🇩🇪", "👩 🚀 ❤ 🔥 👍 🏽 🇩 🇪"),
        ("2️⃣ x© €5", "2 x © 5"),
        ("soft\u00adhyphen zero\u200bwidth", "softhyphen zero width"),
        ("a\0b \ud800 \U000f0001x\ue000", "a b x"),
        ("", ""),
        ("_-.,;", ""),
    ],
)
def test_texts_are_cut_into_words(text, words):
    assert words_of(text) == words.split()


@given(st.text())
def test_words_hold_nothing_that_full_text_syntax_would_read(text):
    words = words_of(text)

    assert all(word.isalnum() or not word.isascii() for word in words)
    assert not any(character.isspace() for word in words for character in word)
    assert words == words_of(f" {text} ")


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("cat -dog", [Term(("cat",)), Term(("dog",), excluded=True)]),
        ('"red castle" "blue sky"*', [Term(("red", "castle")), Term(("blue", "sky"), prefix=True)]),
        ('-"red castle" cas*', [Term(("red", "castle"), excluded=True), Term(("cas",), prefix=True)]),
        ("sci-fi --x", [Term(("sci", "fi")), Term(("x",), excluded=True)]),
        ('"never closed', [Term(("never", "closed"))]),
        ("“typographic quotes” «so»", [Term(("typographic", "quotes")), Term(("so",))]),
        ("cat cat CAT", [Term(("cat",))]),
        ("猫* 黒猫", [Term(("猫",)), Term(("黒", "猫"))]),
        ("a OR b NOT c", [Term((word,)) for word in ("a", "or", "b", "not", "c")]),
        ('pre"middle"post', [Term(("pre",)), Term(("middle",)), Term(("post",))]),
        ("- * ! cat", [Term(("cat",))]),
        ("\uff43\uff41\uff53\uff0a", [Term(("cas",), prefix=True)]),
        ("", []),
        (" \n\t", []),
    ],
)
def test_what_is_typed_becomes_terms(text, terms):
    assert list(terms_of(text)) == terms


@pytest.mark.parametrize("text", ["!", '""', "- -", "***", "\0", "\ud800"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(BadRequest, match="holds no word to look for"):
        terms_of(text)


@pytest.mark.parametrize("text", ["a*", '"red c"*', "-x*", "b" + "*" * 200])
def test_the_beginning_of_one_letter_is_refused_by_name(text):
    with pytest.raises(BadRequest, match="begins too many words: give at least 2 letters") as refused:
        terms_of(text)
    assert len(str(refused.value)) < 250


@given(st.text(max_size=200))
def test_any_text_becomes_terms_or_is_refused(text):
    try:
        terms = terms_of(text)
    except BadRequest:
        return
    assert bool(terms) == bool(text.strip())
    assert all(term.words for term in terms)
