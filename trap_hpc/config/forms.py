"""How values of a site profile are spelled: times, sizes, networks, directives.

Each function returns its text in the form that the rest of the program relies on, or
raises ValueError with the end of a sentence that begins with the value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

_WALLTIME = re.compile(r"(?:(\d{1,3})-)?(\d{1,4}):([0-5]?\d):([0-5]?\d)")
_DAYS = re.compile(r"(\d{1,3})-(\d{1,2})(?::([0-5]?\d))?")
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT])(I?B)?", re.IGNORECASE)
_POWERS = {"K": 1, "M": 2, "G": 3, "T": 4}
BROKERS = ("amqp", "amqps", "redis", "rediss")
OURS = (
    ("--array", "-a"),
    ("--job-name", "-J"),
    ("--wrap",),
    ("--wait", "-W"),
    ("--test-only",),
    ("--parsable",),
    ("--quiet", "-Q"),
)
"""Options of `sbatch` that a profile can't set: jobs would not be found again."""


def walltime_s(text: str) -> int:
    """Return how many seconds ``HH:MM:SS``, ``D-HH:MM:SS`` or ``D-HH`` are."""
    found = _WALLTIME.fullmatch(text) or _DAYS.fullmatch(text)
    days, hours, minutes, seconds = (
        int(group or 0)
        for group in ((found.groups() if found else ()) + 4 * (None,))[:4]
    )
    total = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
    if not found or total == 0:
        raise ValueError("it must be a time such as 02:30:00 (HH:MM:SS) or 1-12:00:00")
    return total


def memory_bytes(text: str) -> int:
    """Return how many bytes ``8GB`` (10^9 each), ``8GiB`` or ``8G`` (2^30) are."""
    found = _MEMORY.fullmatch(text.strip())
    if not found or not float(found[1]):
        raise ValueError("it must be a size with its unit, such as 8GB or 7500MiB")
    base = 1000 if (found[3] or "").upper() == "B" else 1024
    return int(float(found[1]) * base ** _POWERS[found[2].upper()])


def walltime(text: str) -> str:
    """Write a time as ``HH:MM:SS``."""
    seconds = walltime_s(text)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def memory(text: str) -> str:
    """Leave a size as it is."""
    memory_bytes(text)
    return text


def interface(text: str) -> str:
    """Leave the name of an interface, an address, a network or a host as it is."""
    if "/" in text:
        try:
            ipaddress.ip_network(text, strict=False)
        except ValueError:
            raise ValueError("a network must be written like 10.0.0.0/8") from None
    elif not re.fullmatch(r"[\w.:*?\[\]@%-]+", text):
        raise ValueError(
            "it must be an interface (ib0), an address, a network or a host name"
        )
    return text


def directive(text: str) -> str:
    """Take an option of ``sbatch`` out of a line of a job script."""
    text = text.removeprefix("#SBATCH").strip()
    if not text.startswith("-"):
        raise ValueError("it must be an option of sbatch, such as --constraint=haswell")
    word = re.split(r"[= ]", text)[0]
    for names in OURS:
        if word in names or (word[1:2] != "-" and word[:2] in names):
            raise ValueError(f"{names[0]} is set by trap_hpc itself")
    return text


def variable(text: str) -> str:
    """Leave the name of an environment variable as it is."""
    if not re.fullmatch(r"[A-Za-z_]\w*", text, re.ASCII):
        raise ValueError("it must be the name of a variable, without its value")
    return text


def broker(text: str) -> str:
    """Leave the URL of a broker as it is."""
    form = f"it must be a URL such as amqps://host:5671/ ({', '.join(BROKERS)})"
    try:
        url = urlsplit(text)
        good = url.scheme in BROKERS and url.hostname and (url.port or 1)
    except ValueError:
        raise ValueError(form) from None
    if not good:
        raise ValueError(form)
    if url.password is not None:
        raise ValueError(
            "a password there is seen by others; leave it out, and put it into "
            "TRAP_HPC_BROKER_PASSWORD or a file for --broker-password-file"
        )
    return text


FORMS: dict[str, Callable[[str], str]] = {
    "walltime": walltime,
    "memory": memory,
    "interface": interface,
    "job_extra_directives": directive,
    "environment": variable,
    "broker": broker,
}
"""By the name of the key; of a list, each element."""
