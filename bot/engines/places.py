"""Where a PostgreSQL server's files go, so that the user it runs as can reach them.

PostgreSQL refuses to run as root. Started by root it runs as an unprivileged user, who may not be
able to enter ASSENT_HOME or the virtual environment (below /root, or in a private temporary
folder). The permissions of folders that are not ours are never changed; what cannot be reached
goes to /var/lib/assent instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Final

from bot.engines.errors import EngineError
from bot.engines.process import Account

SHARED: Final = Path("/var/lib/assent")
# sun_path holds 104 bytes on macOS and 108 on Linux, the final NUL included.
_LONGEST_SOCKET: Final = 100
_ENTERABLE: Final = 0o711
# TMPDIR is long on macOS. What is made here is refused unless it is ours and closed to others.
_SHORT_TEMPORARY: Final = Path("/tmp")  # noqa: S108


def server_account(data: Path) -> Account | None:
    """Whom PostgreSQL runs as: None (ourselves) unless we are root.

    For root the owner of existing data, else ``postgres``, else ``nobody``.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        owner = data.stat()
        return Account(owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EngineError(
        "PostgreSQL does not run as root and there is no user postgres or nobody; "
        "run assent as another user, or set DATABASE_URL."
    )


def reachable(path: Path, account: Account) -> bool:
    """May this account enter every folder down to ``path``, and ``path`` itself if a folder?"""
    resolved = path.resolve()
    return all(_may_enter(folder.stat(), account) for folder in (resolved, *resolved.parents))


def _may_enter(found: os.stat_result, account: Account) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def cluster_place(home: Path) -> Path:
    """The folder for the server's data, its log and its socket: ``home/postgres``, or elsewhere.

    Another place is noted in ``home/postgres/place``, and stays the place from then on.
    """
    place = home / "postgres"
    note = place / "place"
    _make(place)
    if note.exists():
        elsewhere = Path(note.read_text(encoding="utf-8").strip())
        if not elsewhere.is_dir():
            raise EngineError(
                f"{note} says that the data is in {elsewhere}, which is gone; "
                "restore it, or remove the note to start with an empty database."
            )
        return elsewhere
    account = server_account(place / "data")
    if account is None or reachable(place, account):
        return place
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    elsewhere = Path(tempfile.mkdtemp(prefix=f"{digest}-", dir=_shared()))
    elsewhere.chmod(_ENTERABLE)
    note.write_text(f"{elsewhere}\n", encoding="utf-8")
    return elsewhere


def reachable_bin(folder: Path, account: Account | None) -> Path:
    """``folder`` of PostgreSQL's programs, or a copy that ``account`` can run.

    The copy keeps the layout of the installed package: its libraries are found relative to it.
    """
    if account is None or reachable(folder / "postgres", account):
        return folder
    install = folder.resolve().parent
    program = (folder / "postgres").stat()
    key = f"{install}\0{program.st_size}\0{program.st_mtime_ns}"
    target = _shared() / f"postgresql-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    copied = target / install.parent.name / install.name / folder.name
    if not copied.exists():
        _copy_install(install, target)
    return copied


def socket_folder(place: Path, account: Account | None, longest_name: str) -> Path:
    """A private folder whose sockets have paths that are short enough: in ``place`` if it can be.

    ``longest_name`` is the longest file name that will be used in it.
    """
    room = _LONGEST_SOCKET - len(os.fsencode(longest_name)) - 1
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()[:12]
    owner = account.uid if account else os.geteuid()
    temporary = (Path(tempfile.gettempdir()), _SHORT_TEMPORARY)
    choices = (place / "run", *(folder / f"assent-{owner}-{digest}" for folder in temporary))
    for folder in choices:
        if len(os.fsencode(folder)) > room:
            continue
        if account is None or reachable(folder.parent, account):
            return _private(folder, account)
    raise EngineError(f"No folder with a path of less than {room} bytes was found for a socket.")


def own(path: Path, account: Account | None) -> None:
    """Give ``path`` and what is in it to the account."""
    if account is None or path.stat().st_uid == account.uid:
        return
    for entry in (path, *path.rglob("*")):
        os.chown(entry, account.uid, account.gid, follow_symlinks=False)


def _private(folder: Path, account: Account | None) -> Path:
    """The folder, mode 0700 and the account's. Someone else's is refused, even if it would do."""
    owner = account.uid if account else os.geteuid()
    try:
        folder.mkdir(mode=0o700)
        own(folder, account)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
            raise EngineError(
                f"{folder} belongs to someone else or can be entered by others; remove it."
            ) from None
    return folder


def _make(folder: Path) -> None:
    """A folder of our own that other users may pass through but not list."""
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(_ENTERABLE)


def _shared() -> Path:
    try:
        _make(SHARED)
    except OSError as error:
        raise EngineError(
            f"PostgreSQL does not run as root and {SHARED} cannot be made for its files; "
            "run assent as another user, or set DATABASE_URL."
        ) from error
    return SHARED


def _copy_install(install: Path, target: Path) -> None:
    draft = Path(tempfile.mkdtemp(prefix=".copy-", dir=_shared()))
    draft.chmod(_ENTERABLE)
    package = install.parent
    shutil.copytree(install, draft / package.name / install.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    for folder in (draft, *(entry for entry in draft.rglob("*") if entry.is_dir())):
        folder.chmod(0o755)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft)  # another process was first
