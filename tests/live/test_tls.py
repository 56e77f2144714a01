"""The service over TLS: a certificate that is trusted carries bars, one that is not is told in plain words."""

import datetime
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from data.errors import NetworkError
from data.tradestation.clock import SystemClock
from data.tradestation.emulator import Emulator, Fault, FaultKind, Scenario
from data.tradestation.emulator.tokens import GrantedTokens
from data.tradestation.endpoints import Endpoints
from data.tradestation.events import FeedState, StatusChanged
from data.tradestation.rest import TradeStationClient
from tests.live.harness import MINUTE, RATE, running, unlike_truth

DAY = datetime.timedelta(days=1)


class Certificate:
    """A self-made certificate for ``host``, valid from so many days to so many days from now."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", days: tuple[int, int] = (-1, 1)) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the emulated service")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))]), critical=False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.file, own = folder / "certificate.pem", folder / "key.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        own.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.file, own)


def test_bars_come_over_tls_and_a_broken_line_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.file))
    with running(Scenario(rate=RATE), tls=made.context) as (emulator, consumer):
        assert emulator.url.startswith("https://")
        consumer.until_live()
        consumer.until_closed(1)
        emulator.inject(Fault(kind=FaultKind.RESET, path="stream/barcharts"))
        consumer.until_state(FeedState.RECONNECTING)
        consumer.until_live()
        consumer.until_closed(2)

        assert unlike_truth(emulator, consumer) == {}


WRONG = [
    pytest.param({}, False, "nobody trusted here", id="unknown-authority"),
    pytest.param({"days": (-9, -2)}, True, "has expired", id="expired"),
    pytest.param({"days": (2, 9)}, True, "not valid yet", id="not-yet-valid"),
    pytest.param({"host": "127.0.0.2"}, True, "for another host", id="another-host"),
]


@pytest.mark.parametrize(("facts", "trusted", "words"), WRONG)
def test_a_certificate_that_is_not_good_is_told_in_plain_words_and_no_token_is_sent(
    facts: dict[str, object], trusted: bool, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = Certificate(tmp_path, **facts)  # type: ignore[arg-type]
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made.file))
    with running(Scenario(rate=RATE), tls=made.context) as (emulator, consumer):
        consumer.until_state(FeedState.RECONNECTING)
        reasons = [event.status.reason for event in consumer.of(StatusChanged) if isinstance(event, StatusChanged)]

        assert any(words in reason for reason in reasons)
        assert not any("SSL" in reason or "Token" in reason for reason in reasons)
        assert emulator.requests == []


def test_a_service_that_does_not_speak_tls_is_told_as_such() -> None:
    with Emulator(Scenario(rate=RATE)) as emulator:
        endpoints = Endpoints.at(emulator.url.replace("http://", "https://"))
        client = TradeStationClient(endpoints, GrantedTokens(emulator), SystemClock(), retries=0)
        with pytest.raises(NetworkError, match="not TLS"):
            client.last_bars("ESH24", MINUTE, 5)
        client.close()
