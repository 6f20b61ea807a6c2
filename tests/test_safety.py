"""Who may be hit: loopback always, other hosts only when listed and confirmed, some addresses never."""

import pytest

from harness.safety import Gate, Refused, is_loopback, normal


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_loopback_may_always_be_hit(address: str) -> None:
    """Nothing has to be listed for this machine itself, in any of its spellings."""
    Gate().check("anything", address)
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "10.0.0.1", "192.168.1.4", "2001:db8::1", "::ffff:10.0.0.1"])
def test_another_machine_is_refused_until_it_is_listed_and_confirmed(address: str) -> None:
    """One of the two lists alone does not open the gate, and the message says what would."""
    both, half = r"target\.allow and confirm it with --allow-host shop\.example", r"allowed: "
    for listed, confirmed, missing in (
        ([], [], both),
        (["shop.example"], [], half + "confirm it with --allow-host"),
        ([], ["shop.example"], half + "list it in the scenario under target.allow$"),
        (["shop.example"], ["www.shop.example"], half + "confirm it with --allow-host"),
    ):
        with pytest.raises(Refused, match=missing):
            Gate.of(listed, confirmed).check("shop.example", address)
    Gate.of(["Shop.Example."], ["shop.example"]).check("SHOP.example", address)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1%eth0", "0.0.0.0", "::", "224.0.0.1", "::ffff:169.254.169.254"])
def test_metadata_services_and_multicast_are_refused_even_when_listed(address: str) -> None:
    """A name that leads to a cloud's metadata address is never what a campaign means."""
    with pytest.raises(Refused):
        Gate.of(["evil.example"], ["evil.example"]).check("evil.example", address)


def test_a_name_is_not_an_address() -> None:
    """The check is made on what is connected to; a name in its place is a fault of ours and refused."""
    with pytest.raises(Refused):
        Gate.of(["a.example"], ["a.example"]).check("a.example", "a.example")
    assert not is_loopback("localhost")


def test_names_are_compared_as_the_network_sees_them() -> None:
    assert normal("Bücher.Example.") == normal("xn--bcher-kva.example")
    assert normal("[::1]") == "::1"
