"""Fetching the URLs of callers: only what is public, never too much, never for too long."""

import gzip
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from web_server import WebServer, dripping, endless, ok, redirect

from comfygen_mcp.errors import BadRequest
from comfygen_mcp.web import addresses_of, fetch, shown
from comfygen_mcp.web_addresses import is_metadata, is_public

pytestmark = pytest.mark.anyio

MB = 1_000_000
NAME = "pictures.example"


def resolving(*addresses):
    async def resolve(_host, _port):
        return list(addresses)

    return resolve


async def got(url, *, max_bytes=MB, timeout_s=20.0, **options):
    return await fetch(url, max_bytes=max_bytes, timeout_s=timeout_s, **options)


async def refused(url, **options):
    with pytest.raises(BadRequest) as raised:
        await got(url, **options)
    return str(raised.value)


async def test_a_body_arrives_whole_whatever_its_type_is_said_to_be():
    async with WebServer({"/cat.png": ok(b"cat" * 1000, Content_Type="text/html")}).serving() as server:
        assert await got(f"{server.url}/cat.png", allow_private=True) == b"cat" * 1000

    request = server.requests[0].casefold()
    assert f"host: 127.0.0.1:{server.port}\r\n" in request
    assert "accept-encoding: identity\r\n" in request
    assert "comfygen-mcp/" in request


async def test_a_name_is_asked_for_at_the_address_that_was_checked():
    async with WebServer({"/a": ok(b"1")}).serving() as server:
        url = f"http://{NAME}:{server.port}/a?size=2"
        assert await got(url, allow_private=True, resolve=resolving("127.0.0.1")) == b"1"

    assert server.requests[0].startswith("GET /a?size=2 HTTP/1.1\r\n")
    assert f"host: {NAME}:{server.port}\r\n" in server.requests[0].casefold()


async def test_the_next_address_is_tried_where_the_first_does_not_answer():
    async with WebServer({"/a": ok(b"1")}).serving() as server:
        url = f"http://{NAME}:{server.port}/a"
        assert await got(url, allow_private=True, resolve=resolving("127.9.9.9", "127.0.0.1")) == b"1"


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[::1]"),
        *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "169.254.169.254", "10.0.0.1", "[fe80::1]"),
        *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "192.168.1.1", "100.64.0.1", "224.0.0.1"),
    ],
)
async def test_this_machine_and_its_network_are_not_fetched_from(host):
    async with WebServer({"/a": ok(b"secret")}).serving() as server:
        text = await refused(f"http://{host}:{server.port}/a")

    assert server.requests == []
    assert "has no public address" in text
    assert "allow_private_urls" in text


async def test_one_private_address_among_public_ones_is_enough_to_refuse():
    async with WebServer({"/a": ok(b"secret")}).serving() as server:
        for found in (("93.184.215.14", "127.0.0.1"), ("127.0.0.1", "2606:2800:21f::1")):
            await refused(f"http://{NAME}:{server.port}/a", resolve=resolving(*found))

    assert server.requests == []


async def test_a_missing_and_a_private_host_sound_the_same():
    missing = await refused(f"http://{NAME}/a", resolve=resolving())
    private = await refused(f"http://{NAME}/a", resolve=resolving("10.1.2.3"))

    assert missing == private
    assert "10.1.2.3" not in private


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "fd00:ec2::254", "168.63.129.16", "::ffff:169.254.169.254"]
)
async def test_cloud_metadata_is_never_fetched(address):
    text = await refused(f"http://{NAME}/latest", allow_private=True, resolve=resolving(address))

    assert "not fetched from" in text


async def test_a_redirect_is_followed_to_where_it_leads():
    answers = {
        "/1": redirect("/2", 301),
        "/2": redirect(f"//{NAME}:PORT/3?x=1", 307),
        "/3": ok(b"there"),
    }
    async with WebServer(answers).serving() as server:
        answers["/2"] = answers["/2"].replace(b"PORT", str(server.port).encode())

        found = await got(f"{server.url}/1", allow_private=True, resolve=resolving("127.0.0.1"))

    assert found == b"there"
    assert [request.split()[1] for request in server.requests] == ["/1", "/2", "/3?x=1"]


async def test_a_redirect_to_a_private_address_is_refused():
    async def public_looking(host, _port):
        # The first name is let through as if it were public; what it redirects to is checked anew.
        return ["127.0.0.1"] if host == NAME else ["169.254.169.254"]

    async with WebServer({"/1": redirect("http://metadata.internal/latest")}).serving() as server:
        text = await refused(f"http://{NAME}:{server.port}/1", allow_private=True, resolve=public_looking)

    assert len(server.requests) == 1
    assert "metadata.internal" in text


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("file:///etc/passwd", "is not an http or https URL"),
        ("http://me:secret@pictures.example/", "user name or password"),
        ("http://pictures.example:22/", "port 22"),
        ("http://[broken/", "is not an http or https URL"),
        ("http://pictures.example:port/", "does not speak HTTP"),
    ],
)
async def test_a_redirect_is_checked_like_a_first_url(target, words):
    async with WebServer({"/1": redirect(target)}).serving() as server:
        text = await refused(f"{server.url}/1", allow_private=True)

    assert words in text
    assert "secret" not in text


async def test_redirects_end():
    async with WebServer({"/1": redirect("/1")}).serving() as server:
        assert "redirects more than 5 times" in await refused(f"{server.url}/1", allow_private=True)

    assert len(server.requests) == 6


async def test_no_cookie_is_sent_back():
    answers = {"/1": redirect("/2").replace(b"\r\n", b"\r\nSet-Cookie: a=b\r\n", 1), "/2": ok(b"")}
    async with WebServer(answers).serving() as server:
        await got(f"{server.url}/1", allow_private=True)

    assert "cookie" not in server.requests[1].casefold()


async def test_a_proxy_of_the_environment_is_not_asked(monkeypatch):
    async with WebServer({"/a": ok(b"1")}).serving() as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        assert await got(f"{server.url}/a", allow_private=True) == b"1"


async def test_a_body_that_is_announced_too_large_is_not_read():
    async def announced(_server, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000000\r\n\r\n")
        await endless(server, writer)

    async with WebServer({"/big.png": announced}).serving() as server:
        text = await refused(f"{server.url}/big.png?token=x", max_bytes=32 * MB, allow_private=True)

    assert "/big.png is larger than 32 MB" in text
    assert "token" not in text
    assert server.sent < 10 * MB


async def test_a_body_that_grows_too_large_is_cut():
    async with WebServer({"/big.png": endless}).serving() as server:
        assert "larger than 2 MB" in await refused(
            f"{server.url}/big.png", max_bytes=2 * MB, allow_private=True
        )

    assert server.sent < 12 * MB


async def test_a_body_of_just_the_limit_is_taken():
    async with WebServer({"/a": ok(bytes(1000)), "/b": ok(bytes(1001))}).serving() as server:
        assert len(await got(f"{server.url}/a", max_bytes=1000, allow_private=True)) == 1000
        await refused(f"{server.url}/b", max_bytes=1000, allow_private=True)


async def test_a_compressed_body_is_not_unpacked():
    bomb = ok(gzip.compress(bytes(5 * MB)), Content_Encoding="gzip")
    async with WebServer({"/a": bomb}).serving() as server:
        assert "sends compressed data ('gzip')" in await refused(f"{server.url}/a", allow_private=True)


async def test_a_slow_drip_is_given_up():
    async with WebServer({"/a": dripping}).serving() as server:
        text = await refused(f"{server.url}/a", timeout_s=0.3, allow_private=True)

    assert "did not arrive within 0.3 s" in text


@pytest.mark.parametrize("status", [401, 404, 500, 204, 304])
async def test_any_other_status_is_told(status):
    answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\n\r\n".encode()
    async with WebServer({"/a": answer}).serving() as server:
        assert f"answers HTTP {status}" in await refused(f"{server.url}/a", allow_private=True)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123", "does not speak HTTP, or broke off"),
        (b"", "does not speak HTTP, or broke off"),
    ],
)
async def test_what_is_no_web_server_is_told(answer, words):
    async with WebServer({"/a": answer}).serving() as server:
        assert words in await refused(f"{server.url}/a", allow_private=True)


async def test_a_port_where_nothing_listens_is_told():
    async with WebServer({}).serving() as server:
        port = server.port

    assert "could not be fetched: no connection" in await refused(
        f"http://127.0.0.1:{port}/a", allow_private=True
    )


@pytest.mark.parametrize(
    "url",
    [
        *(
            "ftp://pictures.example/a.png",
            "http://",
            "http:///a",
            "https://exa mple/",
            "http://a:b@pictures.example/",
        ),
        *(
            "http://pictures.example:22/a",
            "http://pictures.example:0/",
            "http://pictures.example:99999/",
            "cat.png",
            "http://0177.0.0.1/",
        ),
        *("http://[::1", "http://xn--a-ecp.ru\x00/", "http://" + "a" * 70_000),
    ],
)
async def test_what_is_no_usable_url_is_refused_before_anything_is_asked(url):
    async def never(_host, _port):
        raise AssertionError(url)

    text = await refused(url, resolve=never)

    assert "a:b@" not in text
    assert len(text) < 400


def certificate_for(name, folder):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "comfygen test")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "both.pem"
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


async def test_over_https_the_certificate_is_that_of_the_name_not_of_the_address(tmp_path, monkeypatch):
    file = certificate_for(NAME, tmp_path)
    context, asked = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(file)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    async with WebServer({"/a": ok(b"safe")}).serving(context) as server:
        options = {"allow_private": True, "resolve": resolving("127.0.0.1")}

        assert await got(f"https://{NAME}:{server.port}/a", **options) == b"safe"
        other = await refused(f"https://other.example:{server.port}/a", **options)
        monkeypatch.delenv("SSL_CERT_FILE")
        unknown = await refused(f"https://{NAME}:{server.port}/a", **options)

    assert asked == [NAME, "other.example", NAME]
    assert "certificate is not trusted" in other
    assert "certificate is not trusted" in unknown


async def test_a_name_is_resolved_by_this_machine_ipv4_first():
    assert (await addresses_of("localhost", 80))[0] == "127.0.0.1"
    assert await addresses_of("127.0.0.1", 80) == ["127.0.0.1"]
    assert await addresses_of("a" * 70, 80) == []


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "192.0.1.1", "172.32.0.1"]
)
def test_public_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.9.9.9", "172.31.0.1", "192.168.0.1", "169.254.1.1", "100.100.100.200", "0.1.2.3"),
        *(
            "192.0.0.192",
            "192.88.99.1",
            "198.19.0.1",
            "203.0.113.5",
            "224.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
        ),
        *(
            "168.63.129.16",
            "::",
            "::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "2002:808:808::1",
        ),
        *(
            "2001::1",
            "2001:db8::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1%eth0",
            "fec0::1",
            "ff02::1",
        ),
        *("5f00::1", "100::1", "not an address", ""),
    ],
)
def test_all_other_addresses_are_not(address):
    assert not is_public(address)


def test_metadata_is_known_in_every_form():
    assert is_metadata("64:ff9b::a9fe:a9fe")
    assert is_metadata("2002:a9fe:a9fe::1")
    assert not is_metadata("8.8.8.8")
    assert not is_metadata("2606:4700::1111")
    assert not is_metadata("nonsense")


def test_a_url_is_shown_without_what_may_be_secret():
    assert shown("https://me:pw@a.example/cat.png?sig=abc#x") == "https://a.example/cat.png"
    assert shown("http://[broken") == "the URL"
    assert shown("http://a.example/\x1b[2J") == "http://a.example/?[2J"
    assert len(shown("http://a.example/" + "x" * 500)) == 100
