"""https and wss: a certificate that the system trusts, and one that it does not."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from comfyui_runs import TRIVIAL, accepted, followed, history_of, new_id
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from replay_server import ReplayServer

from comfygen_mcp.errors import BackendUnreachable

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the file of a self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "comfygen test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_job_runs_over_https_and_wss(client_of, tls, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    prompt_id = new_id()
    routes = {
        ("POST", "/prompt"): accepted(prompt_id),
        ("GET", f"/history/{prompt_id}"): history_of(prompt_id),
    }
    async with ReplayServer(routes).serving(tls) as server:
        client = client_of(server.url, heartbeat_s=0.05)
        await client.submit(TRIVIAL, prompt_id=prompt_id)

        assert (await followed(client, prompt_id))[-1].message == "finished"
        assert len(server.sockets) == 1


async def test_a_certificate_that_nobody_vouches_for_is_told(client_of, tls):
    async with ReplayServer().serving(tls) as server:
        with pytest.raises(
            BackendUnreachable, match=r"TLS connection failed .certificate: self-signed certificate"
        ):
            await client_of(server.url).queue()
