"""One person's text: equal by both ways, and with everything that has to be in it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.segments import count
from tests.worker.texts.writing import CONTEXT, compiled, said
from worker.texts.authoring import compile_text
from worker.texts.context import OptOutLine
from worker.texts.engine import parse
from worker.texts.links import link_prefix
from worker.texts.optout import Says, due, instructs
from worker.texts.plans import CannotRender, Liquid, Pieces
from worker.texts.rendering import preview, render, worst_of
from worker.texts.values import cleaner_of

OPTIONAL = ["first_name", "city", "coupon", "attributes.tier", "attributes.points"]
LINK = ("https://l.acme.example/0123456789",)
value = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30)
person = st.fixed_dictionaries(dict.fromkeys(OPTIONAL, value))


def a_field(name: str, fallback: str | int | float, space: str) -> str:
    """A field with its fallback, tightly or loosely written."""
    quoted = repr(fallback) if isinstance(fallback, str) else str(fallback)
    return "{{" + space.join(["", name, "|", "default:", quoted, ""]) + "}}"


fields = st.builds(
    a_field,
    st.sampled_from([*OPTIONAL, "brand", "keyword"]),
    st.sampled_from(["you", "l'ami", "a b", "é", 7, 1.5]).filter(lambda one: one != "l'ami"),
    st.sampled_from(["", " ", "  "]),
)
words = st.text("abc .,!-\n%é’“🎉", max_size=12) | st.just(" https://acme.example/a ")


@given(parts=st.lists(fields | words | st.just("{{ brand }}"), max_size=8), values=person)
def test_joined_pieces_are_what_liquid_renders(parts: list[str], values: dict[str, Any]) -> None:
    """The fast way and python-liquid make the same text of the same values."""
    text = compiled("".join(parts))
    if not text.ok:
        return
    assert isinstance(text.plan, Pieces)
    marked = text.source.replace("https://acme.example/a", "\ue000")
    by_liquid = Liquid(
        parse(marked), CONTEXT.constants, tuple((name, cleaner_of(name)) for name in OPTIONAL)
    )

    assert text.plan.fill(values) == by_liquid.fill(values)


@pytest.mark.parametrize(
    ("source", "plan"),
    [
        ("Hi", Pieces),
        ("Hi {{ first_name | default: 'you' }} from {{ brand }}", Pieces),
        ("{{ brand | upcase }}", Liquid),
        ("{% if city %}x{% endif %}y", Liquid),
        ("{{ first_name | default: city | default: 'x' }}", Liquid),
        ("{{ first_name | default: 'x', allow_false: true }}", Liquid),
    ],
)
def test_liquid_is_used_where_it_is_needed(source: str, plan: type) -> None:
    """Plain fields with a fallback are joined; all else is rendered."""
    assert isinstance(compiled(source).plan, plan)


NAME = st.sampled_from(["first_name", "city", "attributes.tier"])
CONDITION = st.recursive(
    st.builds(
        "{} {}".format,
        NAME,
        st.sampled_from(
            [
                "",
                "!= blank",
                "== nil",
                "== ''",
                "== 'x'",
                "!= 'x'",
                "contains 'x'",
                "< 'y'",
                ">= 'a'",
            ]
        ),
    ),
    lambda inner: st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=4,
)
TEXT = st.recursive(
    st.builds("({{{{ {} }}}})".format, NAME)
    | st.builds("({{{{ {} | default: 'd' }}}})".format, NAME)
    | st.builds("({{{{ {} | upcase }}}})".format, NAME | st.just("local"))
    | st.builds("{{% assign local = {} %}}".format, NAME | st.just("'s'")),
    lambda inner: (
        st.builds("{}{}".format, inner, inner)
        | st.builds(
            "{{% if {} %}}{}{{% elsif {} %}}{}{{% else %}}{}{{% endif %}}".format,
            CONDITION,
            inner,
            CONDITION,
            inner,
            inner,
        )
        | st.builds(
            "{{% unless {} %}}{}{{% else %}}{}{{% endunless %}}".format, CONDITION, inner, inner
        )
        | st.builds(
            "{{% case {} %}}{{% when 'x', 'y' %}}{}{{% else %}}{}{{% endcase %}}".format,
            NAME,
            inner,
            inner,
        )
    ),
    max_leaves=6,
)


@given(source=TEXT)
def test_a_text_that_passes_leaves_no_gap_for_anybody(source: str) -> None:
    """Whoever lacks whatever: no field of an accepted text is ever written as nothing."""
    text = compiled(source + ".")
    if not text.ok:
        return
    for one in product([None, "x", "z"], repeat=3):
        values = dict(zip(["first_name", "city", "attributes.tier"], one, strict=True))
        assert "()" not in preview(text, values).body


def test_links_are_put_in_by_number() -> None:
    """The same address twice gets the same link."""
    source = "https://acme.example/a https://acme.example/b https://acme.example/a"

    assert said(source, ("https://l/1", "https://l/2")) == "https://l/1 https://l/2 https://l/1"


def test_another_number_of_links_is_a_mistake_of_the_caller() -> None:
    """Rather an error than a text with a hole."""
    text = compiled("https://acme.example/a")

    with pytest.raises(ValueError, match="argument"):
        render(text, {}, ())


@given(values=person, told=st.booleans())
def test_what_is_billed_is_what_is_counted(values: dict[str, Any], told: bool) -> None:
    """The segments belong to the text as it is handed over."""
    text = compiled(
        "Hi {{ first_name | default: 'you' }} in {{ city | default: 'town' }}: https://acme.example/"
    )

    rendered = render(text, values, LINK, opt_out=told)

    cost = count(rendered.body)
    assert (rendered.encoding, rendered.sms_segments) == (cost.encoding, cost.segments)
    assert LINK[0] in rendered.body
    assert instructs(rendered.body) is told


def test_a_sample_is_as_long_as_the_text_will_be() -> None:
    """So that the count of a preview is the count of the bill."""
    text = compiled("https://acme.example/" + "long" * 100)

    assert len(preview(text, {}).body) == len(render(text, {}, LINK).body)


LONG = "{{ attributes.tier | default: 'x' | replace: 'a', '" + "b" * 100 + "' }}"


@pytest.mark.parametrize(
    ("source", "values", "reason"),
    [
        ("{% if city == 'Oslo' %}Hi{% endif %}", {}, "text.empty"),
        ("{% if attributes.tier > 'a' %}x{% endif %}y", {"attributes.tier": 5}, "text.failed"),
        (LONG, {"attributes.tier": "a" * 80}, "text.failed"),
        (LONG, {"attributes.tier": "a" * 18}, "text.too_long"),
    ],
)
def test_a_text_that_one_person_cannot_get_says_why(
    source: str, values: dict[str, Any], reason: str
) -> None:
    """Everybody else's goes out; this one is refused with its reason."""
    text = compiled(source, worst={"attributes.points": 3}, typical={"attributes.points": 3})
    assert text.ok, text.findings

    with pytest.raises(CannotRender) as refusal:
        preview(text, values)

    assert refusal.value.reason == reason


@pytest.mark.parametrize(
    ("points", "expected"),
    [(120, "a 120"), ("120", "a 120"), ("99.5", "b"), (99, "b"), ("many", "b"), (None, "b")],
)
def test_what_is_compared_with_a_number_is_read_as_one(points: Any, expected: str) -> None:
    """An import leaves figures as words; what is no number at all counts as missing."""
    source = "{% if attributes.points >= 100 %}a {{ attributes.points }}{% else %}b{% endif %}"

    assert said(source, attributes__points=points) == expected


def test_a_text_with_errors_is_never_rendered() -> None:
    """Not even by somebody who ignores the findings."""
    with pytest.raises(CannotRender, match=r"text\.broken"):
        render(compiled("Hi {{ first_name }}"), {"first_name": "Bo"})


def test_the_worst_of_an_audience_is_found() -> None:
    """By segments first: one odd letter beats many plain ones."""
    text = compiled("{% if first_name %}Hi {{ first_name }}, " + "x" * 60 + "{% endif %}")
    people = [{"first_name": "Bo"}, {}, {"first_name": "Maximiliane"}, {"first_name": "Łu"}]

    assert worst_of(text, people).body.startswith("Hi Łu,")
    with pytest.raises(CannotRender):
        worst_of(text, [{}])


def test_an_instruction_in_a_condition_is_not_said_twice() -> None:
    """Those whom the condition leaves out get the line, the others do not get it again."""
    text = compiled("Sale{% if city %}. Text STOP to quit{% endif %}")

    assert text.says is Says.SOMETIMES
    assert preview(text, {"city": "Oslo"}).body == "Sale. Text STOP to quit"
    assert preview(text, {}).body == "Sale Reply STOP to end."


INSTRUCTIONS = [
    "Reply STOP to end", "reply stop to opt out", "Text STOP to unsubscribe", "STOP to cancel",
    "STOP=end", "Txt STOP 2 quit", 'Reply "STOP" to cancel', "To unsubscribe, reply STOP",
    "Unsubscribe: STOP", "Responde STOP para cancelar", "Envía ALTO", "BAJA para salir",
    "Répondez ARRET", "STOP pour arrêter", "Envoyez STOP au 54321",
]  # fmt: skip
NO_INSTRUCTIONS = [
    "Stop by our store", "Don't stop now", "One-stop shop", "Non-stop savings",
    "The sale will stop", "Alto rendimiento", "Arrêt de bus", "Last stop: summer", "unstoppable",
]  # fmt: skip


@pytest.mark.parametrize("words", INSTRUCTIONS)
def test_an_instruction_is_recognised(words: str) -> None:
    """In the ways that authors write it, in three languages."""
    assert instructs(words)


@pytest.mark.parametrize("words", NO_INSTRUCTIONS)
def test_a_mere_word_is_no_instruction(words: str) -> None:
    """The line is added where a text only happens to say stop."""
    assert not instructs(words)


NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rule", "days", "expected"),
    [
        (OptOutLine.ALWAYS, 1, True),
        (OptOutLine.WRITTEN, 1, True),
        (OptOutLine.MONTHLY, None, True),
        (OptOutLine.MONTHLY, 1, False),
        (OptOutLine.MONTHLY, 27, False),
        (OptOutLine.MONTHLY, 28, True),
    ],
)
def test_the_line_is_due_at_least_monthly(
    rule: OptOutLine, days: int | None, expected: bool
) -> None:
    """In the first text of a program, and before a month is over, February included."""
    told = NOON - timedelta(days=days) if days is not None else None

    assert due(rule, told, NOON) is expected


@pytest.mark.parametrize(
    ("link", "public", "prefix"),
    [
        ("https://acme.example", "https://acme.example", "https://acme.example/l/"),
        ("https://a.cm", "https://text.acme.example", "https://a.cm/"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "http://127.0.0.1:8000/l/"),
        ("https://A.example/x", "https://a.example", "https://A.example/x/l/"),
    ],
)
def test_codes_stand_bare_only_on_a_host_of_their_own(link: str, public: str, prefix: str) -> None:
    """Three characters fewer there; elsewhere /l/ keeps them apart from pages."""
    assert link_prefix(link, public) == prefix


def test_windows_line_ends_cost_nothing() -> None:
    """A carriage return is a character of GSM-7, and would be billed."""
    text = compile_text("One\r\nTwo", replace(CONTEXT, opt_out=OptOutLine.MONTHLY))

    assert preview(text, {}, opt_out=False).body == "One\nTwo"
