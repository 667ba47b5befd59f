"""From what is written on the command line to a list of image files."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence

from trap_hpc.errors import UsageError
from trap_hpc.pipeline.images.kinds import FITS_SUFFIXES, PACK_SUFFIXES, is_table

_PACKED_FITS = tuple(name + end for name in FITS_SUFFIXES for end in (".gz", ".fz"))
_SUFFIXES = FITS_SUFFIXES + _PACKED_FITS + PACK_SUFFIXES
_COMMENT = re.compile(r"(^|\s)#.*")


def expand(arguments: Sequence[str]) -> list[str]:
    """Find the image files that are meant, as absolute paths.

    An argument is a file; a CASA table; a folder, of which all image files (.fits,
    .fit, .fts, these with .gz or .fz, .h5, .hdf5) and CASA tables right in it are
    taken, by name; a glob; or ``@list.txt``, a file of such arguments, one a line,
    relative to its own folder, with ``#`` for comments. The order is that of the
    arguments, a path that is found again is left out. Raises UsageError for what does
    not exist and where there is no image.
    """
    try:
        found = [path for argument in arguments for path in _found(argument, "")]
    except RecursionError:
        raise UsageError("the @lists name each other without end") from None
    if not found:
        raise UsageError("no images are given: name files, folders, globs or @list.txt")
    return list(dict.fromkeys(found))


def _found(argument: str, base: str) -> Iterator[str]:
    argument = os.path.expanduser(argument)
    path = os.path.abspath(os.path.join(base, argument))
    if os.path.isdir(path) and not is_table(path):
        yield from _in_folder(path)
    elif os.path.exists(path):
        yield path
    elif argument.startswith("@"):
        yield from _in_list(os.path.join(base, argument[1:]))
    elif glob.has_magic(argument):
        yield from _in_glob(argument, base)
    else:
        raise UsageError(f"{argument}: no such file or folder")


def _in_folder(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            found = sorted(entry.path for entry in entries if _is_image(entry))
    except OSError as error:
        raise UsageError(f"{folder}: can't be listed ({error.strerror})") from error
    if not found:
        raise UsageError(
            f"{folder}: no images right in this folder (looked for CASA tables and "
            f"{', '.join(_SUFFIXES)})"
        )
    return found


def _is_image(entry: os.DirEntry[str]) -> bool:
    if entry.name.lower().endswith(_SUFFIXES):
        return True
    return entry.is_dir() and is_table(entry.path)


def _in_glob(pattern: str, base: str) -> Iterator[str]:
    """Find the matches, in order; a folder stands for the images in it."""
    # The folder that the pattern is relative to may have brackets in its own name.
    folder = glob.escape(os.path.abspath(base))
    matches = sorted(glob.glob(os.path.join(folder, pattern)))
    if not matches:
        raise UsageError(f"{pattern}: nothing matches")
    for path in matches:
        yield from _found(path, "")


def _in_list(path: str) -> Iterator[str]:
    try:
        with open(path, encoding="utf-8") as lines:
            wanted = [_COMMENT.sub("", line).strip() for line in lines]
    except (OSError, UnicodeError) as error:
        what = getattr(error, "strerror", None) or "it is not a text file"
        raise UsageError(f"@{path}: the list can't be read: {what}") from error
    for number, line in enumerate(wanted, start=1):
        if line:
            yield from _in_line(line, path, number)


def _in_line(line: str, path: str, number: int) -> Iterator[str]:
    try:
        yield from _found(line, os.path.dirname(os.path.abspath(path)))
    except UsageError as error:
        raise UsageError(f"@{path}, line {number}: {error}") from error
