"""Who asks a DICOMweb server, by which way and with whose certificates: against a server of our own that notes what it is asked."""

from __future__ import annotations

import base64
import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keyring
import keyring.backend
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from evenray.core.errors import DataError
from evenray.scale import local


class Server(ThreadingHTTPServer):
    """Lists nothing, and keeps what it was asked as (path, Authorization)."""

    daemon_threads = True

    def __init__(self, busy: int = 0) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        self.busy = busy


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization")))
        self.server.busy -= 1
        self.send_response(503 if self.server.busy >= 0 else 200)
        self.send_header("Content-Type", "application/dicom+json")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *given: object) -> None:
        pass


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENRAY_CACHE", str(tmp_path / "cache"))
    for name in ("EVENRAY_DICOMWEB_USER", "EVENRAY_DICOMWEB_PASSWORD", "EVENRAY_DICOMWEB_TOKEN", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(keyring, "get_password", Kept({}).get_password)


class Kept:
    def __init__(self, words: dict[tuple[str, str], str]) -> None:
        self.words = words

    def get_password(self, service: str, name: str) -> str | None:
        return self.words.get((service, name))


def asks(url: str) -> None:
    """The server is reached: it says that it has nothing."""
    with pytest.raises(DataError, match="lists no image"):
        local(url)


BASIC = "Basic " + base64.b64encode(b"reader:word").decode()


@pytest.mark.parametrize(
    ("environment", "kept", "sent"),
    [
        ({}, {}, None),
        ({"USER": "reader", "PASSWORD": "word"}, {}, BASIC),
        ({"USER": "reader"}, {"reader": "word"}, BASIC),
        ({"TOKEN": "abc"}, {}, "Bearer abc"),
        ({}, {"token": "xyz"}, "Bearer xyz"),
        ({"TOKEN": "abc", "USER": "reader", "PASSWORD": "word"}, {}, "Bearer abc"),
    ],
)
def test_who_asks_is_told_by_the_environment_or_the_keyring(
    environment: dict[str, str], kept: dict[str, str], sent: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(f"EVENRAY_DICOMWEB_{name}", value)
    words = {("evenray:127.0.0.1", name): word for name, word in kept.items()}
    monkeypatch.setattr(keyring, "get_password", Kept(words).get_password)
    with serving(Server()) as server:
        asks(f"dicomweb://127.0.0.1:{server.server_port}/web?Modality=CR")
    assert server.asked[0][1] == sent
    assert server.asked[0][0].startswith("/web/instances?")
    assert "Modality=CR" in server.asked[0][0]


def test_a_keyring_that_fails_names_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*given: str) -> str:
        raise keyring.errors.KeyringLocked("locked")

    monkeypatch.setattr(keyring, "get_password", locked)
    with serving(Server()) as server:
        asks(f"dicomweb://127.0.0.1:{server.server_port}/web")
    assert server.asked[0][1] is None


def test_a_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(Server()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.server_port}")
        asks("dicomweb://pacs.invalid/web")
    assert proxy.asked[0][0].startswith("http://pacs.invalid/web/instances")


def test_a_server_that_is_busy_is_asked_again() -> None:
    with serving(Server(busy=2)) as server:
        asks(f"dicomweb://127.0.0.1:{server.server_port}/web")
    assert len(server.asked) == 3


def test_tls_trusts_the_authority_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    server = Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *given: None  # type: ignore[method-assign]  # of who hangs up on an unknown certificate
    url = f"dicomwebs://127.0.0.1:{server.server_port}/web"
    with serving(server):
        with pytest.raises(DataError, match=r"cannot be asked .SSLError"):
            local(url)
        assert not server.asked
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority))
        asks(url)


def certificate(folder: Path) -> Path:
    """An authority of our own and, in server.pem, a certificate that it signs for 127.0.0.1."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("Hospital CA", "pacs")]
    now = datetime.datetime.now(datetime.UTC)
    made = []
    for number, (key, name) in enumerate(zip(keys, names, strict=True)):
        builder = (
            x509.CertificateBuilder(names[0], name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=not number, path_length=None), critical=True)
        )
        if number:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        made.append(builder.sign(keys[0], hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    private = keys[1].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.pem").write_bytes(private + made[1])
    (folder / "ca.pem").write_bytes(made[0])
    return folder / "ca.pem"
