"""Texts and values that try to do more than say something (reliability C2, T6)."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from liquid.builtin.tags.for_tag import ForTag
from liquid.exceptions import (
    LiquidError,
    LocalNamespaceLimitError,
    LoopIterationLimitError,
    OutputStreamLimitError,
)

from tests.worker.texts.writing import compiled, said
from worker.texts.engine import Texts
from worker.texts.plans import CannotRender
from worker.texts.rendering import preview

AS_WRITTEN = [
    "{0.__class__}",
    "%n %s %(x)s",
    "%0999999999d",
    "$(id) && id",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
]
REFUSED = [
    "{{7*7}}",
    "{{ '7'*7 }}",
    "{{ config }}",
    "{{ env }}",
    "{{ now }}",
    "{{ 'now' | date: '%s' }}",
    "{{ self.__class__.__mro__ }}",
    "{{ first_name.__class__ | default: 'x' }}",
    "{{ first_name['__class__'] | default: 'x' }}",
    "{{ attributes | default: 'x' }}",
    "{{ attributes[first_name] | default: 'x' }}",
    "{{ attributes.__class__ | default: 'x' }}",
    "{{ ''.__class__ }}",
    "{{ cycler.__init__.__globals__.os }}",
    "{% for i in (1..100000000) %}x{% endfor %}",
    "{% tablerow i in (1..9) %}x{% endtablerow %}",
    "{% include 'x' %}",
    "{% render 'x' %}",
    "{% capture x %}y{% endcapture %}",
    "{% increment x %}",
    "{% liquid echo 'x' %}",
    "{% raw %}{{ x }}{% endraw %}",
    "{% doc %}x{% enddoc %}",
    "{% debug %}",
    "{{ 'x' | base64_encode }}",
    "{{ 'x' | url_decode }}",
    "{{ 'x' | safe }}",
    "{{ 'x' | map: 'y' }}",
    "{{ first_name | default: now }}",
]
BOMBS = [
    "{{ 'aaaaaaaaaa'" + " | replace: 'a', 'aaaaaaaaaa'" * 30 + " }}",
    "{{ 'a' | append: 'b'" + " | replace: '', 'xxxxxxxxxx'" * 30 + " }}",
    "{% assign a = 'xxxxxxxxxxxxxxxxxxxx' %}" + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
    "{% assign a = 'x' %}" + "{% assign a = a | prepend: a | append: a %}" * 30 + "{{ a }}",
    "{% assign n = 999999 %}" + "{% assign n = n | times: n %}" * 40 + "{{ n }}",
    "{% assign n = 9.9 %}" + "{% assign n = n | times: n %}" * 40 + "{{ n }}",
    "{{ 1 | divided_by: 0 }}",
    "{{ 1 | modulo: 0 }}",
    "{{ 1.5 | round: 999999999 }}",
    "{% if true %}" * 50 + "x" + "{% endif %}" * 50,
    "{{ (1..100000000) | split: '' | last }}",
    "{{ 'x' | truncate: 999999999, 'y' }}",
    "{{ 'x' | slice: -999999999999999999999, 999999999999999999999 }}",
]


@pytest.mark.parametrize("source", AS_WRITTEN)
def test_other_languages_templates_are_plain_words(source: str) -> None:
    """Nothing is evaluated: what is not Liquid is sent as it stands."""
    text = compiled(source)

    assert not text.ok or preview(text, {}, opt_out=False).body == source


@pytest.mark.parametrize("source", REFUSED)
def test_what_reaches_beyond_the_fields_is_refused(source: str) -> None:
    """No clock, no loops, no partials, no attributes of objects; found while it is written."""
    text = compiled(source)

    assert not text.ok
    with pytest.raises(CannotRender, match=r"text\.broken"):
        preview(text, {})


@pytest.mark.parametrize("source", BOMBS, ids=range(len(BOMBS)))
def test_a_bomb_fizzles(source: str) -> None:
    """Doubling, squaring and deep nesting end at a limit, in no time, with a finding."""
    begun = time.process_time()
    text = compiled(source)
    took = time.process_time() - begun

    assert took < 0.5
    assert not text.ok or len(preview(text, {}).body) <= 1600


@pytest.mark.parametrize("value", ["{{ 7 | times: 7 }}", "{% if true %}x{% endif %}", "{{ env }}"])
@pytest.mark.parametrize(
    "source", ["Hi {{ first_name | default: 'you' }}", "{{ first_name | default: 'you' | upcase }}"]
)
def test_a_value_is_never_read_as_liquid(source: str, value: str) -> None:
    """Neither where texts are joined nor where Liquid makes them."""
    assert "49" not in said(source, first_name=value)
    assert "{" not in said(source, first_name=value)


def test_the_environment_does_not_leak() -> None:
    """listmonk CVE-2025-49136: a template that reads variables of the process."""
    for name in os.environ:
        assert not compiled(f"{{{{ {name} }}}}").ok


class _Looping(Texts):
    """The same environment, with the tag that it leaves out."""

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        """Add loops."""
        super().setup_tags_and_filters(extra=extra)
        self.add_tag(ForTag)


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("{% for i in (1..100000000) %}{% endfor %}", LoopIterationLimitError),
        ("{% for i in (1..900) %}0123456789{% endfor %}", OutputStreamLimitError),
        (
            "{% assign a = 'xx' %}{% for i in (1..30) %}{% assign a = a | append: a %}{% endfor %}",
            LiquidError,
        ),
        (
            "".join(f"{{% assign a{n} = '{'x' * 60}' %}}" for n in range(40)),
            LocalNamespaceLimitError,
        ),
    ],
)
def test_every_limit_is_on(source: str, limit: type[LiquidError]) -> None:
    """The second wall, should a tag or filter ever be let in."""
    with pytest.raises(limit):
        _Looping().from_string(source).render()


WORDS = """
{{ }} {% %} { } | if endif unless assign x = == first_name attributes.tier brand default : 'a' "b" 1
1e9 - else case when replace times , (1..9) nil blank and comment STOP é 🎉 [ ] . raw slice
https://acme.example/a
"""
PARTS = st.sampled_from([*WORDS.split(), " ", "\n", "\u202e"])
FIGURES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)


@settings(max_examples=400)
@given(parts=st.lists(PARTS, max_size=30), name=FIGURES, tier=FIGURES)
def test_whatever_is_written_is_a_text_or_a_finding(parts: list[str], name: Any, tier: Any) -> None:
    """Compiling never raises, and a text that is fit fails for a person in one way only."""
    text = compiled("".join(parts))

    if not text.ok:
        assert text.plan is None or text.findings
        return
    try:
        body = preview(text, {"first_name": name, "attributes.tier": tier}).body
    except CannotRender:
        return
    assert 0 < len(body) <= 1600
