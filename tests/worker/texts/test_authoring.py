"""What is found in a text while it is written: a table of texts and their findings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from keywords.segments import Encoding
from tests.worker.texts.writing import CONTEXT, WRITTEN, codes, compiled
from worker.texts.authoring import compile_text
from worker.texts.context import OptOutLine
from worker.texts.findings import Severity

FINE = [
    "Acme: 20% off today only",
    "Hi {{ first_name | default: 'there' }}!",
    'Hi {{ first_name | default: "there" | upcase }}!',
    "Hi {{first_name|default:'there'}}",
    "{{ brand }} {{ program }} {{ keyword }}",
    "{% if first_name %}Hi {{ first_name }}{% else %}Hi{% endif %}",
    "{% if first_name != blank %}Hi {{ first_name }}{% endif %} there",
    "{% if first_name == blank %}Hi{% else %}Hi {{ first_name }}{% endif %}",
    "{% unless first_name %}Hi{% else %}Hi {{ first_name }}{% endunless %}",
    "{% if first_name and city %}{{ first_name }} in {{ city }}{% endif %}Sale",
    "{% if attributes.vip %}VIP {% endif %}sale",
    "{% if attributes.points > 100 %}You have {{ attributes.points }} points{% endif %} today",
    "{% case state %}{% when 'NY', 'NJ' %}Hi {{ state }}{% else %}Hi{% endcase %}",
    "{% assign who = first_name | default: 'you' %}For {{ who }}",
    "{% comment %}for {{ nobody }}{% endcomment %}Sale",
    "{{ first_name | default: last_name | default: 'you' }}",
    "{{ 'Sale' | upcase }}",
    "https://acme.example/sale and https://shop.acme.example/",
    "{% if city %}https://acme.example/a{% else %}https://acme.example/b{% endif %}. Now!",
    "{% if city %}{% if state %}https://acme.example/a{% endif %}{% endif %}",
    "https://acme.example/a{% assign x = brand %}{% comment %}x{% endcomment %} {{ x }}",
    "https://acme.example/a{% if city %}, {{ city }}{% else %}!{% endif %}",
    "Stop by our store! Reply STOP to end",
]

WRONG = [
    ("", "empty"),
    ("  \n ", "empty"),
    ("{{ '' }}", "empty"),
    ("x" * 2049, "too_large"),
    ("é" * 1025, "too_large"),
    ("{{ 'xxxxxxxxxx' | replace: 'x', '" + "y" * 170 + "' }}", "too_long"),
    ("a\x00b", "character"),
    ("a\ue000b", "character"),
    ("a\ud800b", "character"),
    ("{{ first_name", "syntax"),
    ("{{ first_name }", "syntax"),
    ("{% if first_name", "syntax"),
    ("{% if first_name %}x", "syntax"),
    ("{% comment %}x", "syntax"),
    ("{{ }}", "syntax"),
    ("{% if %}x{% endif %}", "syntax"),
    ("{{ first_name last_name }}", "syntax"),
    ("{{ first_name | default: “you” }}", "syntax"),
    ("{% endif %}", "tag"),
    ("{% for x in y %}{% endfor %}", "tag"),
    ("}} stray", "braces"),
    ("{first_name}, hello", "braces"),
    ("{{{ first_name | default: 'x' }}}", "syntax"),
    ("{{ frist_name | default: 'x' }}", "unknown_field"),
    ("{{ attributes.shoe | default: 'x' }}", "unknown_field"),
    ("{{ phone }}", "unknown_field"),
    ("{{ brand | shout }}", "filter"),
    ("Hi {{ first_name }}", "missing_fallback"),
    ("Hi {{ first_name | upcase }}", "missing_fallback"),
    ("{{ attributes.tier }}", "missing_fallback"),
    ("{{ coupon }}", "missing_fallback"),
    ("{{ first_name | default: last_name }}", "missing_fallback"),
    ("{{ first_name | default: nil }}", "missing_fallback"),
    ("{% if city %}{{ first_name }}{% endif %}", "missing_fallback"),
    ("{% if first_name or city %}{{ first_name }}{% endif %}", "missing_fallback"),
    ("{% if first_name %}x{% endif %}{{ first_name }}", "missing_fallback"),
    ("{% if first_name %}x{% else %}{{ first_name }}{% endif %}", "missing_fallback"),
    ("{% if first_name != 'Bo' %}{{ first_name }}{% endif %}", "missing_fallback"),
    ("{% unless first_name %}{{ first_name }}{% endunless %}", "missing_fallback"),
    ("{% assign x = first_name %}{{ x }}", "missing_fallback"),
    ("{% if city %}{% assign x = 'a' %}{% endif %}{{ x }}", "missing_fallback"),
    ("{% case state %}{% when 'NY' %}x{% else %}{{ state }}{% endcase %}", "missing_fallback"),
    ("{{ 1 | divided_by: 0 }}", "failed"),
    ("http://acme.example/sale", "link_insecure"),
    ("https://bit.ly/abc", "link_shortener"),
    ("https://my.app.link/abc", "link_shortener"),
    ("see bit.ly/abc", "link_shortener"),
    ("https://evil.example/", "link_host"),
    ("https://acme.example.evil.com/", "link_host"),
    ("https://notacme.example/", "link_host"),
    ("https://acme.example:8443/", "link_address"),
    ("https://u:p@acme.example/", "link_address"),
    ("https://acme.example@evil.com/", "link_address"),
    ("https://127.0.0.1/", "link_address"),
    ("https://аcme.example/", "link_address"),
    ("https://", "link_address"),
    ("https://acme.example/" + "a" * 2000, "link_address"),
    ("https://acme.example/{{ coupon | default: 'x' }}", "link_field"),
    ("https://acme.example/{% if city %}a{% endif %}", "link_field"),
    ("https://acme.example/{% if city %} {% endif %}a", "link_field"),
    ("{% if city %}https://acme.example/a{% endif %}b", "link_field"),
    ("{% if city %}https://acme.example/a{% endif %}{{ brand }}", "link_field"),
    ("{{ brand }}https://acme.example/", "link_field"),
    ("{{ 'https://acme.example/' }}", "link_hidden"),
    ("xhttps://acme.example/", "link_hidden"),
    ("ftp://acme.example/", "link_hidden"),
    ("{{ 'https:' | append: '/' | append: '/evil.example' }}", "link_hidden"),
    (" ".join(f"https://acme.example/{n}" for n in range(33)), "links_many"),
]

WARNED = [
    ("Hi {{ first_name | default: '' }}!", "empty_fallback"),
    ("More at acme.com/sale", "link_bare"),
    ("Más días", "ucs2"),
    ("Sale 🎉", "ucs2"),
    ("Привет", "ucs2"),
    ("Acme " * 100, "long"),
    ("Fine wines", "shaft.alcohol"),
    ("Our vape shop", "shaft.tobacco"),
    ("CBD oil", "shaft.cannabis"),
    ("happy\nhour", "shaft.alcohol"),
    ("Play POKER", "shaft.gambling"),
]


@pytest.mark.parametrize("source", FINE)
def test_a_good_text_has_no_finding(source: str) -> None:
    """Nothing to correct, and both samples can be shown."""
    text = compiled(source)

    assert codes(text) == []
    assert text.ok
    assert text.typical is not None
    assert text.worst is not None


@pytest.mark.parametrize(("source", "code"), WRONG, ids=[f"{c}-{s[:30]}" for s, c in WRONG])
def test_an_error_is_found_while_writing(source: str, code: str) -> None:
    """With its place in the source and a sentence that ends."""
    text = compiled(source)

    assert code in codes(text, Severity.ERROR)
    assert not text.ok
    for finding in text.findings:
        assert 0 <= finding.position <= finding.position + finding.length <= len(source)
        assert finding.sentence[:1].isupper() or finding.sentence[:1] in "{}%"


@pytest.mark.parametrize(("source", "code"), WARNED, ids=[f"{c}-{s[:30]}" for s, c in WARNED])
def test_a_doubt_is_told_and_left_to_the_author(source: str, code: str) -> None:
    """A warning does not keep the text from being sent."""
    text = compiled(source)

    assert codes(text, Severity.WARNING) == [code]
    assert text.ok


@pytest.mark.parametrize(
    ("source", "code", "shown"),
    [
        ("Hi {{ first_name }}!", "missing_fallback", "{{ first_name }}"),
        ("Hi {{ nobody | default: 'x' }}!", "unknown_field", "nobody"),
        ("{{ brand | shout }}", "filter", "shout"),
        ("a https://bit.ly/x.", "link_shortener", "https://bit.ly/x"),
        (
            "see {%- if city -%} http://acme.example/a {%- endif %}",
            "link_insecure",
            "http://acme.example/a",
        ),
        ("(see http://acme.example/a_(b)), ok", "link_insecure", "http://acme.example/a_(b)"),
        ("Cold beer", "shaft.alcohol", "beer"),
        ("Hi {first_name}", "braces", "{first_name}"),
    ],
)
def test_a_finding_points_at_its_cause(source: str, code: str, shown: str) -> None:
    """The position and length mark what an editor should underline."""
    (found,) = (finding for finding in compiled(source).findings if finding.code == code)

    assert source[found.position :][: found.length] == shown


@pytest.mark.parametrize(
    ("source", "code", "suggestion"),
    [
        ("“Sale” – today", "repaired", '"Sale" - today'),
        ("Más días", "ucs2", "Mas dias"),
        ("Sale 🎉 today", "ucs2", "Sale today"),
        ("{{ brand | default: “x” }}", "syntax", '{{ brand | default: "x" }}'),
        ("Привет", "ucs2", None),
    ],
)
def test_a_repair_is_suggested_where_there_is_one(
    source: str, code: str, suggestion: str | None
) -> None:
    """Quotes and dashes become plain by themselves; accents and emoji are the author's choice."""
    (found,) = (finding for finding in compiled(source).findings if finding.code == code)

    assert found.suggestion == suggestion


def test_look_alikes_are_sent_as_what_they_look_like() -> None:
    """A pasted quotation mark does not double the price; a chosen emoji leaves it as it is."""
    plain, chosen = compiled("“Sale”"), compiled("“Sale” 🎉")

    assert plain.worst is not None
    assert plain.worst.body == '"Sale" Reply STOP to end.'
    assert plain.worst.encoding is Encoding.GSM7
    assert chosen.worst is not None
    assert chosen.worst.body == "“Sale” 🎉 Reply STOP to end."


def test_the_opt_out_line_is_demanded_or_added() -> None:
    """By the rule of the program (CTIA: at least monthly), in the language of the text."""
    assert codes(compile_text("Sale", WRITTEN)) == ["opt_out_missing"]
    assert codes(compile_text("Sale. Reply STOP to end", WRITTEN)) == []
    half = "{% if city %}Reply STOP to end{% endif %} Sale"
    assert codes(compile_text(half, WRITTEN)) == ["opt_out_missing"]
    for rule in (OptOutLine.ALWAYS, OptOutLine.MONTHLY):
        assert codes(compiled("Sale", opt_out=rule), Severity.NOTE) == ["opt_out_added"]
    assert compiled("Rebajas", language="es-MX").opt_out_line == "Responde STOP para terminar."


def test_segments_are_counted_for_real_people_with_the_link_in() -> None:
    """Attentive's counter leaves out links and values (reliability A17); this one does not."""
    source = (
        "Hi {{ first_name | default: 'you' }} " + "x" * 80 + " https://acme.example/" + "y" * 300
    )
    text = compiled(
        source, typical={"first_name": "Bo"}, worst={"first_name": "Łukasz"}, exact=True
    )

    assert text.typical is not None
    assert text.typical.body.endswith("https://l.acme.example/xxxxxxxxxx Reply STOP to end.")
    assert text.typical.sms_segments == 1
    assert text.worst is not None
    assert (text.worst.encoding, text.worst.sms_segments) == (Encoding.UCS2, 3)
    assert codes(text) == ["values_ucs2"]


@pytest.mark.parametrize(
    ("source", "brand", "missing"),
    [
        pytest.param("{{ brand }}: 20% off", "Acme Outfitters", False, id="by its field"),
        pytest.param("ACME has 20% off", "Acme Outfitters", False, id="as people call it"),
        pytest.param("20% off at the cafe", "Café", False, id="without its accent"),
        pytest.param("20% off today", "Acme Outfitters", True, id="nobody"),
        pytest.param("https://acme.example/sale", "Acme Outfitters", True, id="in a link alone"),
        pytest.param("The best: 20% off", "The Shop", True, id="a short word"),
        pytest.param("{% if city %}Acme{% endif %} 20% off", "Acme", True, id="to some alone"),
    ],
)
def test_a_text_names_whom_it_is_from(source: str, brand: str, *, missing: bool) -> None:
    """Or its author is told so, with the brand put before it."""
    text = compiled(source, voice=replace(CONTEXT.voice, brand=brand))
    told = {finding.code: finding for finding in text.findings}
    assert ("brand_missing" in told) is missing
    assert text.ok
    if missing:
        assert told["brand_missing"].suggestion == f"{brand}: {source}"


def test_values_may_lose_their_accents_for_the_price() -> None:
    """Where the program chose so, one Łukasz costs no more than a Lucas."""
    worst = {"first_name": "Łukasz"}
    text = compiled("Hi {{ first_name | default: 'you' }}", worst=worst, plain_values=True)

    assert text.worst is not None
    assert text.worst.body.startswith("Hi Lukasz")
    assert codes(text) == []


def test_a_text_knows_its_links_and_fields() -> None:
    """So that nothing else is read for it, and no link twice."""
    text = compiled(
        "{{ first_name | default: 'x' }} https://acme.example/a#1 https://ACME.example/b?c=ü,"
        " https://acme.example/a#1. {% if attributes.vip %}https://acme.example/vip {% endif %}"
    )

    assert text.fields == {"first_name", "attributes.vip"}
    assert text.links == (
        "https://acme.example/a#1",
        "https://acme.example/b?c=%C3%BC",
        "https://acme.example/vip",
    )


def test_hints_help() -> None:
    """The nearest name, or all of them."""
    near = compiled("{{ frist_name | default: 'x' }}").findings
    far = compiled("{{ xyzzy | default: 'x' }}").findings

    assert any("did you mean first_name?" in finding.sentence for finding in near)
    assert any("attributes.points" in finding.sentence for finding in far)


def test_a_program_without_hosts_says_so() -> None:
    """And where the list is."""
    text = compile_text("https://acme.example/", replace(CONTEXT, link_hosts=frozenset()))

    assert codes(text) == ["link_host"]
    assert "none yet" in next(f.sentence for f in text.findings if f.code == "link_host")
