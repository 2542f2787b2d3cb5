"""What the layout promises and import-linter cannot see, read from the syntax trees.

Each check is a function from a module to its faults, so that it is tried on code that is wrong on
purpose before it is trusted with ours.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatch

import pytest

from storage.holdings import HOLDINGS
from storage.impersonal import IMPERSONAL
from storage.schema import METADATA
from tests.source import PACKAGES, ROOT, Module, dotted, modules, parse

SOURCE = modules(*PACKAGES, "wsgi.py")
PURE = modules("keywords", "worker/policy", "worker/texts", "worker/statistics")
TESTS = modules("tests")
# Package data is read at import, which is the one file that pure code may open.
DATA_LOADERS = ("keywords/data/__init__.py",)
IMPURE_MODULES = frozenset(
    {"os", "random", "secrets", "socket", "subprocess", "threading", "asyncio"}
    | {"tempfile", "shutil", "pathlib", "io", "time"}
)
IMPURE_CALLS = frozenset(
    ["open", "input", "uuid1", "uuid4", "uuid.uuid1", "uuid.uuid4", "print"]
    + [
        f"{start}.{end}"
        for start in ("datetime", "date", "datetime.datetime", "datetime.date")
        for end in ("now", "utcnow", "today")
    ]
)
# Where a transaction may be ended by hand: the helper itself, and migrations, whose advisory lock
# and whose DDL have their own rhythm.
COMMITS = ("storage/transaction.py", "storage/migrate.py", "storage/migrations/*")
# An edge may catch everything, once, because something must go on whatever happened. Named here
# with its reason; the group hands the error to the requests that caused it.
CATCH_ALL = {"bot/group.py": "a failure must reach every request that waits for the group"}
LONGEST_MODULE, LONGEST_TEST, LONGEST_FUNCTION = 300, 500, 50
# The verifier goes into the hands of strangers alone, so it is one file.
LENGTH_EXEMPT = ("storage/migrations/*", "bot/evidence/verify.py")
LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})
LOGGERS = frozenset({"log", "logger", "logging", "LOG", "_log", "_LOG"})
PERSONAL = frozenset(
    {"phone", "phones", "number", "numbers", "address", "email", "name", "from_", "to"}
    | {"body", "bodies", "text", "texts", "raw", "params", "form", "url", "evidence", "salt"}
    | {"token", "tokens", "key", "keys", "secret", "secrets", "password", "signature"}
)
# Errors of our own whose text is one fixed sentence.
OWN_SENTENCES = frozenset({"CallError"})

Check = Callable[[Module], Iterator[str]]


def impure(module: Module) -> Iterator[str]:
    """Reaches for the clock, chance, files, the network or the environment."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names = [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [(node.module or "").partition(".")[0]]
            names += [a.name for a in node.names if a.name in {"uuid1", "uuid4", "environ"}]
        elif isinstance(node, ast.Call) and dotted(node.func) in IMPURE_CALLS:
            names = [dotted(node.func)]
            yield f"{module.at(node)} calls {names[0]}"
            continue
        else:
            continue
        for name in names:
            if name in IMPURE_MODULES | {"uuid1", "uuid4", "environ"}:
                yield f"{module.at(node)} imports {name}"


def commits(module: Module) -> Iterator[str]:
    """Ends a transaction by hand, by method or by statement."""
    for call in module.calls():
        if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
            yield f"{module.at(call)} commits"
        for argument in call.args:
            said = argument.value if isinstance(argument, ast.Constant) else None
            if isinstance(said, str) and re.match(r"\s*(commit|end)\b", said, re.IGNORECASE):
                yield f"{module.at(call)} may commit by a statement"


def late_imports(module: Module) -> Iterator[str]:
    """Imports inside a function."""
    for function in module.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Import | ast.ImportFrom):
                yield f"{module.at(node)} imports inside {function.name}"


def catches_all(module: Module) -> Iterator[str]:
    """Catches whatever happens and goes on; to clean up and raise again is no fault."""
    everything = {"Exception", "BaseException"}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and not _raises_again(node):
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            if any(kind is None or dotted(kind) in everything for kind in kinds):
                yield f"{module.at(node)} catches everything"


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def too_long(module: Module) -> Iterator[str]:
    """Is longer than a page or two: a module, or a function in it."""
    limit = LONGEST_TEST if module.path.startswith("tests/") else LONGEST_MODULE
    lines = module.text.count("\n")
    if lines > limit:
        yield f"{module.path} has {lines} lines, more than {limit}"
    for function in module.functions():
        length = (function.end_lineno or function.lineno) - function.lineno + 1
        if length > LONGEST_FUNCTION:
            yield f"{module.at(function)} {function.name} has {length} lines"


def told_logs(module: Module) -> Iterator[str]:
    """Logs what it should not: words made on the spot, personal fields, an error's own text."""
    for call in module.calls():
        target = call.func
        if not isinstance(target, ast.Attribute) or target.attr not in LOG_METHODS:
            continue
        if dotted(target.value).rpartition(".")[2] not in LOGGERS:
            continue
        words, *values = call.args[1:] if target.attr == "log" else call.args
        values += [keyword.value for keyword in call.keywords]
        if not isinstance(words, ast.Constant):
            yield f"{module.at(call)} logs words that are not a constant"
        for value in values:
            yield from (f"{module.at(call)} logs {name}" for name in _told(value, module))


def _told(value: ast.AST, module: Module) -> Iterator[str]:
    """Names in a logged value that may hold a person's data or a secret.

    ``type(error).__name__`` is fine; the error itself may quote a row, a URL or a request.
    """
    if isinstance(value, ast.Call) and dotted(value.func) == "type":
        return
    handlers = (node for node in ast.walk(module.tree) if isinstance(node, ast.ExceptHandler))
    errors = {h.name for h in handlers if h.type is None or dotted(h.type) not in OWN_SENTENCES}
    name = value.id if isinstance(value, ast.Name) else getattr(value, "attr", "")
    if name in PERSONAL or (isinstance(value, ast.Name) and name in errors):
        yield name
    if isinstance(value, ast.Attribute) and dotted(value):
        return
    for inner in ast.iter_child_nodes(value):
        yield from _told(inner, module)


def faults(check: Check, where: tuple[Module, ...], *exempt: str) -> list[str]:
    """What a check finds, outside the exempt paths."""
    return [
        fault
        for module in where
        if not any(fnmatch(module.path, pattern) for pattern in exempt)
        for fault in check(module)
    ]


WRONG = [
    pytest.param(impure, "import random", id="random"),
    pytest.param(impure, "from os import path", id="os"),
    pytest.param(impure, "from uuid import uuid4", id="uuid4"),
    pytest.param(impure, "import time\ntime.time()", id="time"),
    pytest.param(impure, "def f():\n    return datetime.now(UTC)", id="datetime.now"),
    pytest.param(impure, "date.today()", id="date.today"),
    pytest.param(impure, "open('x')", id="open"),
    pytest.param(commits, "session.commit()", id="commit"),
    pytest.param(commits, 'connection.execute("COMMIT")', id="COMMIT"),
    pytest.param(late_imports, "def f():\n    import json", id="import in a function"),
    pytest.param(
        late_imports, "class A:\n    async def f(self):\n        from a import b", id="async"
    ),
    pytest.param(catches_all, "try:\n    f()\nexcept Exception:\n    pass", id="except Exception"),
    pytest.param(catches_all, "try:\n    f()\nexcept:\n    pass", id="bare except"),
    pytest.param(
        catches_all, "try:\n    f()\nexcept (A, BaseException):\n    pass", id="in a tuple"
    ),
    pytest.param(too_long, "x = 1\n" * 301, id="long module"),
    pytest.param(too_long, "def f():\n" + "    x = 1\n" * 50, id="long function"),
    pytest.param(told_logs, 'log.info(f"from {phone}")', id="f-string"),
    pytest.param(told_logs, 'log.info("from %s", text.phone)', id="argument"),
    pytest.param(told_logs, 'log.info("from", extra={"to": str(phone)})', id="extra"),
    pytest.param(told_logs, 'self.log.error("from " + place)', id="concatenation"),
    pytest.param(told_logs, 'log.log(10, "%s" % place)', id="log.log"),
    pytest.param(
        told_logs, "try:\n    f()\nexcept E as e:\n    log.info('%s', e)", id="an error's own text"
    ),
]


@pytest.mark.parametrize(("check", "code"), WRONG)
def test_a_check_finds_what_it_looks_for(check: Check, code: str) -> None:
    """A check that finds nothing in wrong code would prove nothing about ours."""
    assert list(check(parse(code))) != []


def test_a_check_leaves_good_code_alone() -> None:
    """Plain code with a constant log message and a narrow handler has no fault."""
    good = 'import json\ndef f(now):\n    try:\n        log.info("done", extra={"n": 1})\n'
    good += "    except (KeyError, OSError) as e:\n        log.error('%s', type(e).__name__)\n"
    good += "    except BaseException:\n        tidy()\n        raise\n"
    checks: list[Check] = [impure, commits, late_imports, catches_all, too_long, told_logs]

    assert [fault for check in checks for fault in check(parse(good))] == []


def test_the_rules_read_no_clock_and_do_no_io() -> None:
    """The conversation can be replayed years later only if it depends on its arguments alone."""
    assert faults(impure, PURE, *DATA_LOADERS) == []


def test_only_the_transaction_helper_commits() -> None:
    """One request or job is one transaction; a second commit could record half of a consent."""
    assert faults(commits, SOURCE, *COMMITS) == []


def test_imports_are_at_the_top() -> None:
    """A late import hides a dependency from the contracts, and fails at night, not at start."""
    assert faults(late_imports, SOURCE) == []


def test_nothing_swallows_every_error() -> None:
    """An unexpected error must be seen; an expected one has a name."""
    assert faults(catches_all, SOURCE, *CATCH_ALL) == []


def test_every_exception_to_a_rule_is_still_needed() -> None:
    """An exemption that nothing uses any more would hide the next fault."""
    used = {fault.partition(":")[0] for fault in faults(catches_all, SOURCE)}

    assert set(CATCH_ALL) == used


@pytest.mark.parametrize("where", [SOURCE, TESTS], ids=["source", "tests"])
def test_modules_and_functions_are_short(where: tuple[Module, ...]) -> None:
    """One subject each: 300 lines a module, 500 a test module, 50 a function."""
    assert faults(too_long, where, *LENGTH_EXEMPT) == []


def test_no_log_tells_a_number_a_text_or_a_secret() -> None:
    """A log is copied to places where nobody asks who may read it."""
    assert faults(told_logs, SOURCE) == []


def test_every_folder_of_tests_is_a_package() -> None:
    """Else tests/keywords would shadow the real keywords, and equal file names would collide."""
    folders = {(ROOT / module.path).parent for module in TESTS}

    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_folder_of_source_is_a_package() -> None:
    """The import contracts do not look into a folder without __init__.py."""
    folders = {(ROOT / module.path).parent for module in modules(*PACKAGES)}
    scripts = {ROOT / "storage/migrations", ROOT / "storage/migrations/versions"}

    assert [str(f) for f in folders - scripts if not (f / "__init__.py").exists()] == []


def test_the_import_contracts_hold() -> None:
    """Arrows point down, and pure packages stay pure; the contracts are in pyproject.toml.

    In a process of its own: import-linter sets up logging anew, which would silence the loggers
    of every test that comes after.
    """
    checked = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert checked.returncode == 0, checked.stdout


def test_every_table_says_what_it_holds_of_people() -> None:
    """A table that is added must say in ``storage.holdings`` how a person gets out of it."""
    said = [holding.table for holding in HOLDINGS] + list(IMPERSONAL)

    assert sorted(said) == sorted(METADATA.tables)
    assert [h.table for h in HOLDINGS if bool(h.erase) is bool(h.kept)] == []
    assert HOLDINGS[-1].table == "subscribers", "the others are found by it"
