"""``/api/docs``: the API for people to read, made from the OpenAPI document.

One page without scripts and without anything from another host, so that it works offline and
under the strictest content security policy.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from markupsafe import Markup, escape

from bot.api.problems import MEANING, STATUS

POLICY: Final = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
_HEAD: Final = Markup(
    '<!doctype html><html lang="en"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1">'
    "<title>Assent: the admin API</title>"
    '<link rel="stylesheet" href="/api/static/docs.css"></head><body>'
)


def page(spec: Mapping[str, Any]) -> str:
    """The whole page."""
    operations = [
        (path, method, operation)
        for path, item in spec["paths"].items()
        for method, operation in item.items()
    ]
    parts = [
        _HEAD,
        Markup("<nav><h2>Operations</h2><ul>"),
        *(_entry(path, method, operation) for path, method, operation in operations),
        Markup('</ul><p><a href="#problems">Problems</a> · <a href="#models">Models</a></p></nav>'),
        Markup('<main><h1>The admin API</h1><p><a href="/api/openapi.json">OpenAPI 3.1</a></p>'),
        _paragraphs(spec["info"]["description"]),
        *(_operation(path, method, operation) for path, method, operation in operations),
        *_problems(),
        *_models(spec["components"]["schemas"]),
        Markup("</main></body></html>"),
    ]
    return str(Markup("\n").join(parts))


def _entry(path: str, method: str, operation: Mapping[str, Any]) -> Markup:
    return Markup('<li><a href="#{}"><b class="{}">{}</b> <code>{}</code></a></li>').format(
        operation["operationId"], method, method.upper(), _short(path)
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Markup:
    head = Markup(
        '<section id="{}"><h2><b class="{}">{}</b> <code>{}</code></h2>'
        "<p><strong>{}</strong> Scope: <code>{}</code></p>"
    ).format(
        operation["operationId"],
        method,
        method.upper(),
        path,
        operation.get("summary", ""),
        operation["x-scope"],
    )
    body = _paragraphs(operation.get("description", ""))
    return Markup("\n").join(
        [
            head,
            body,
            _parameters(operation["parameters"]),
            _exchange(operation),
            Markup("</section>"),
        ]
    )


def _parameters(parameters: list[Mapping[str, Any]]) -> Markup:
    rows = [
        Markup(
            "<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>"
        ).format(
            parameter["name"],
            parameter["in"],
            parameter.get("description", ""),
            json.dumps({k: v for k, v in parameter["schema"].items() if k != "title"}),
        )
        for parameter in parameters
    ]
    return Markup("<table>{}</table>").format(Markup("").join(rows)) if rows else Markup("")


def _exchange(operation: Mapping[str, Any]) -> Markup:
    body = operation.get("requestBody")
    asked = Markup("<p>Body: {}</p>").format(_model(body)) if body else Markup("")
    answers = [
        Markup("<li><code>{}</code> {} {}</li>").format(
            status, response["description"], _model(response)
        )
        for status, response in sorted(operation["responses"].items())
    ]
    return Markup("{}<ul>{}</ul>").format(asked, Markup("").join(answers))


def _model(holder: Mapping[str, Any]) -> Markup:
    references = [content["schema"].get("$ref", "") for content in holder["content"].values()]
    name = references[0].rpartition("/")[2]
    return Markup('<a href="#model-{}">{}</a>').format(name, name)


def _problems() -> Iterator[Markup]:
    yield Markup('<section id="problems"><h2>Problems</h2><dl>')
    for kind, meaning in MEANING.items():
        yield Markup('<dt id="{}"><code>{}</code> {}</dt><dd>{}</dd>').format(
            kind, int(STATUS[kind]), kind, meaning
        )
    yield Markup("</dl></section>")


def _models(schemas: Mapping[str, Any]) -> Iterator[Markup]:
    yield Markup('<section id="models"><h2>Models</h2>')
    for name, schema in sorted(schemas.items()):
        yield Markup('<h3 id="model-{}">{}</h3><pre>{}</pre>').format(
            name, name, json.dumps(schema, indent=2, ensure_ascii=False)
        )
    yield Markup("</section>")


def _paragraphs(text: str) -> Markup:
    written = [Markup("<p>{}</p>").format(_code(p)) for p in text.split("\n\n") if p.strip()]
    return Markup("\n").join(written)


def _code(text: str) -> Markup:
    """Escaped text in which `backquotes` mark code."""
    pieces = text.split("`")
    marked = [
        Markup("<code>{}</code>").format(p) if i % 2 else escape(p) for i, p in enumerate(pieces)
    ]
    return Markup("").join(marked)


def _short(path: str) -> str:
    return path.removeprefix("/api/v1")
