"""What the S3 store makes of answers that no good server gives, and of TLS."""

import contextlib
import http.server
import socket
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from s3_servers import Rclone, S3Server, opened

from comfygen_mcp.errors import StoreFailed

pytestmark = pytest.mark.anyio

ERROR = "<Error><Code>{}</Code><Message>as the server says</Message></Error>"


@contextlib.contextmanager
def answering(answer):
    """Serve *answer*(handler) for every request, on a loopback port; yields the server."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self):
            self.server.asked.append((self.command, self.path))
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with contextlib.suppress(ConnectionError):
                answer(self)

        def log_message(self, *_):
            pass

    for method in ("GET", "PUT", "HEAD", "DELETE", "POST"):
        setattr(Handler, f"do_{method}", Handler.reply)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.asked = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def plain(status, body="", mime="application/xml", **headers):
    def answer(handler):
        handler.send_response(status)
        data = body.encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Type": mime, "Content-Length": str(len(data)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    return answer


def store_at(server, **changes):
    return opened(S3Server(f"http://127.0.0.1:{server.server_port}").options("comfy-gen", **changes))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (plain(403, ERROR.format("RequestTimeTooSkewed")), r"HTTP 403, RequestTimeTooSkewed.*clock"),
        (plain(403, ERROR.format("AccessDenied"), mime="text/xml"), r"AccessDenied: as the server.*keys"),
        (plain(413, ERROR.format("EntityTooLarge")), "no room for it"),
        (plain(507, ERROR.format("XMinioStorageFull")), "no room for it"),
        (plain(500), r"HTTP 500.*in trouble"),
        (plain(503, "<html>busy</html>", mime="text/html", Retry_After="86400"), r"HTTP 503.*in trouble"),
        (plain(301, ERROR.format("PermanentRedirect"), Location="/elsewhere"), r"HTTP 301.*s3\.region"),
        (plain(400, ERROR.format("AuthorizationHeaderMalformed")), r"s3\.region"),
        (plain(409, ERROR.format("OperationAborted")), "Check s3.endpoint"),
        (plain(403, "<Error><Code>"), "makes no sense"),
        (plain(403, "\udcff".encode("utf-8", "surrogateescape").decode("latin-1")), "makes no sense"),
        (lambda handler: handler.wfile.write(b"SSH-2.0-OpenSSH\r\n"), "connection broke"),
        (lambda handler: handler.connection.shutdown(socket.SHUT_RDWR), "connection broke"),
    ],
)  # fmt: skip
async def test_every_answer_becomes_words_with_what_to_check(answer, words):
    with answering(answer) as server, store_at(server) as store:
        with pytest.raises(StoreFailed, match=words):
            await store.put_bytes("g/a.png", b"x", mime="image/png")
        with pytest.raises(StoreFailed, match=r"Cannot read 'g/a\.png'"):
            await store.read("g/a.png")


async def test_a_listing_that_is_no_xml_is_told():
    refusal = pytest.raises(StoreFailed, match="makes no sense")
    with answering(plain(200, "<html>welcome<br></html>")) as server, store_at(server) as store, refusal:
        await anext(store.list())


async def test_a_busy_server_is_asked_again_and_then_answers():
    busy = iter((503, 503))

    def answer(handler):
        status = next(busy, 200)
        plain(status, "" if status == 200 else ERROR.format("SlowDown"), ETag='"1"')(handler)

    with answering(answer) as server, store_at(server) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")

    assert [command for command, _ in server.asked] == ["PUT"] * 3


async def test_a_server_that_drips_for_ever_is_cut_off(monkeypatch):
    monkeypatch.setattr("comfygen_mcp.stores.s3.READ_S", 0.5)
    over = threading.Event()

    def drip(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "1000000")
        handler.end_headers()
        try:
            while not over.wait(0.02):
                handler.wfile.write(b"x")
        finally:
            over.set()

    with answering(drip) as server, store_at(server) as store:
        with pytest.raises(StoreFailed, match="not done after"):
            await store.read("g/a.png")
        # The server noticed: nobody is connected any more.
        assert over.wait(10)


async def test_a_bucket_that_another_process_makes_meanwhile_is_fine():
    replies = iter([404, 404, 409, 200])

    def answer(handler):
        status = next(replies)
        plain(status, ERROR.format("BucketAlreadyExists") if status > 200 else "", ETag='"1"')(handler)

    with answering(answer) as server, store_at(server) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")

    assert [command for command, _ in server.asked] == ["PUT", "HEAD", "PUT", "PUT"]


async def test_a_bucket_that_may_not_be_made_is_told():
    def answer(handler):
        missing = handler.command == "HEAD" or "/g/" in handler.path
        plain(404 if missing else 403, ERROR.format("AccessDenied"))(handler)

    refusal = pytest.raises(StoreFailed, match="HTTP 403, AccessDenied")
    with answering(answer) as server, store_at(server) as store, refusal:
        await store.put_bytes("g/a.png", b"x", mime="image/png")


async def test_a_policy_that_another_one_wrote_is_kept_and_already_ours_is_left_alone(rgw):
    bucket = "comfy-gen-policy"
    with opened(rgw.options(bucket, public_read=True)) as store:
        await store.put_bytes("g/a.png", b"x", mime="image/png")
    with opened(rgw.options(bucket, public_read=True)) as store:
        await store.put_bytes("g/b.png", b"x", mime="image/png")

        assert (await store.condition()).notes == ()


async def test_a_file_that_cannot_be_opened_is_the_callers_mistake(rclone, tmp_path):
    refusal = pytest.raises(StoreFailed, match=r"Cannot write 'g/a\.png': Is a directory")
    with opened(rclone.s3.options("comfy-gen")) as store, refusal:
        await store.put_file("g/a.png", tmp_path, mime="image/png")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Return the files of a self-signed certificate for 127.0.0.1 and of its key."""
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
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(*pem))
    return folder / "cert.pem", folder / "key.pem"


async def test_tls_works_with_a_trusted_certificate_and_tells_of_another_one(
    certificate, tmp_path, monkeypatch
):
    cert, key = certificate
    with Rclone(tmp_path / "served", "--cert", str(cert), "--key", str(key)) as server:
        options = server.s3.options("comfy-gen", url=server.s3.url.replace("http:", "https:"))
        with opened(options) as store, pytest.raises(StoreFailed, match=r"certificate.*SSL_CERT_FILE"):
            await store.put_bytes("g/a.png", b"x", mime="image/png")

        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        with opened(options) as store:
            await store.put_bytes("g/a.png", bytes(10 << 20), mime="image/png")
            assert await store.read("g/a.png") == bytes(10 << 20)
            assert (await store.link("g/a.png", expires_s=9)).startswith("https:")
