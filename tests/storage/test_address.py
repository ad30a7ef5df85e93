"""What URLs of Redis say, in all forms."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import SSLConnection

from storage.server.address import Address, parse


def test_one_server() -> None:
    """A plain URL is redis-py's own; the port is the usual one."""
    assert parse("redis://ann:p%40ss@host") == Address(
        "", (("host", 6379),), "", {"username": "ann", "password": "p@ss", "host": "host"}
    )


def test_a_password_as_it_is() -> None:
    """A password with an @ in it is read as redis-py reads it, also where nobody encoded it."""
    found = parse("redis+sentinel://ann:p@ss@one,two/bot")
    assert (found.options["username"], found.options["password"]) == ("ann", "p@ss")
    assert found.hosts == (("one", 26379), ("two", 26379))


def test_a_socket() -> None:
    """A socket has a path and no host."""
    found = parse("unix:///var/run/redis.sock?db=2")
    assert (found.form, found.hosts) == ("", ())
    assert (found.options["path"], found.options["db"]) == ("/var/run/redis.sock", 2)


def test_sentinels() -> None:
    """Several hosts, then the service and the database; the Sentinels may have a login too."""
    found = parse("redis+sentinel://:pw@one,[::1]:5,two:26380/bot/3?sentinel_password=other")
    assert found.form == "sentinel"
    assert found.hosts == (("one", 26379), ("::1", 5), ("two", 26380))
    assert found.service == "bot"
    options = {name: found.options[name] for name in ("password", "db", "sentinel_password")}
    assert options == {"password": "pw", "db": 3, "sentinel_password": "other"}


def test_a_cluster_with_tls() -> None:
    """``rediss`` asks for an encrypted connection in every form."""
    found = parse("rediss+cluster://one:7000,two/?ssl_ca_certs=/ca.pem")
    assert (found.form, found.hosts) == ("cluster", (("one", 7000), ("two", 6379)))
    assert found.options["connection_class"] is SSLConnection
    assert found.options["ssl_ca_certs"] == "/ca.pem"


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("http://host", "begins like"),
        ("redis:host", "begins like"),
        ("unix+cluster:///socket", "begins like"),
        ("redis+cloud://host", "begins like"),
        ("redis://", "begins like"),
        ("unix://", "begins like"),
        ("redis://one,two", "several hosts"),
        ("redis://host:0", "host or port"),
        ("redis://host:70000", "host or port"),
        ("redis://[::1", "host or port"),
        ("redis+cluster://one,,two", "host or port"),
        ("redis+sentinel://one,two", "/service"),
        ("redis+sentinel://one/bot/x", "database"),
        ("redis+cluster://one/1", "only one, 0"),
        ("redis+cluster://one?db=1", "only one, 0"),
        ("redis://host?max_connections=5", "unknown options: max_connections"),
        ("redis://host?ssl_ca_certs=/ca", "unknown options: ssl_ca_certs"),
        ("redis://host?sentinel_password=x", "unknown options: sentinel_password"),
        ("redis://host?socket_timeout=soon", "socket_timeout"),
        ("rediss://host?ssl_cert_reqs=some", "none of none, optional, required"),
    ],
)
def test_what_cannot_be(url: str, problem: str) -> None:
    """The error is a sentence without the URL, because that contains a password."""
    with pytest.raises(ValueError, match=problem):
        parse(url)


@given(
    st.sampled_from(["redis", "rediss", "unix", "redis+sentinel", "redis+cluster", "x"]),
    st.text(max_size=40),
)
def test_anything(scheme: str, rest: str) -> None:
    """Whatever stands there is read, or refused with a ValueError."""
    with contextlib.suppress(ValueError):
        parse(f"{scheme}://{rest}")
