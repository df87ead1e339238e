"""S3 in the configuration: places, addresses, keys from the environment, and what is never shown."""

import pytest

from comfygen_mcp.config import S3Settings, load_settings, s3_keys, s3_place
from comfygen_mcp.config_rows import describe
from comfygen_mcp.config_s3 import S3Place
from comfygen_mcp.errors import BadConfiguration

KEYS = {"COMFYGEN_S3_ACCESS_KEY": "ours", "COMFYGEN_S3_SECRET_KEY": "hush"}
AWS = {"AWS_ACCESS_KEY_ID": "theirs", "AWS_SECRET_ACCESS_KEY": "quiet", "AWS_SESSION_TOKEN": "token"}


@pytest.mark.parametrize(
    ("store", "place"),
    [
        ("s3://", S3Place("comfy-gen", "")),
        ("S3://pictures/", S3Place("pictures", "")),
        ("s3:///team", S3Place("comfy-gen", "team/")),
        ("s3://pictures/team/a_1~x.y/", S3Place("pictures", "team/a_1~x.y/")),
    ],
)
def test_a_place_is_a_bucket_and_maybe_a_prefix(store, place):
    assert s3_place(store) == place


@pytest.mark.parametrize("prefix", ["a//b", "..", "a/.", "a b", "ä", "a\\b", "x" * 101])
def test_a_prefix_that_keys_could_not_have_is_refused(prefix):
    with pytest.raises(ValueError, match="has the prefix"):
        s3_place(f"s3://pictures/{prefix}")


@pytest.mark.parametrize("bucket", ["ab", "Pictures", "a..b", "a.-b", "10.0.0.1", "a_b", "-ab", "x" * 64])
def test_a_name_that_is_no_bucket_is_refused(bucket):
    with pytest.raises(ValueError, match="names the bucket"):
        s3_place(f"s3://{bucket}")


@pytest.mark.parametrize(
    ("given", "url", "public"),
    [
        ({}, None, None),
        ({"endpoint": "http://H:9000/"}, "http://h:9000", "http://h:9000"),
        ({"endpoint": "h:9000"}, "https://h:9000", "https://h:9000"),
        ({"endpoint": "h:9000", "secure": False}, "http://h:9000", "http://h:9000"),
        ({"endpoint": "http://h", "public_endpoint": "https://p.example"}, "http://h", "https://p.example"),
    ],
)
def test_an_endpoint_is_a_url_or_a_host_and_the_public_one_is_the_same_unless_given(given, url, public):
    settings = S3Settings(**given)

    assert (settings.url, settings.public_url) == (url, public)


def test_one_variable_switches_and_the_others_complete_it(tmp_path):
    environ = {
        "COMFYGEN_STORE": "s3://",
        "COMFYGEN_S3_ENDPOINT": "minio:9000",
        "COMFYGEN_S3_SECURE": "No",
        "COMFYGEN_S3_PUBLIC_READ": "1",
        "COMFYGEN_S3_LINK_EXPIRES_S": "60",
        "COMFYGEN_SPOOL": "waiting",
        **KEYS,
    }

    loaded = load_settings(environ=environ, cwd=tmp_path)

    assert loaded.notes == ()
    assert loaded.settings.store == "s3://comfy-gen"
    assert loaded.settings.spool == tmp_path / "waiting"
    assert (loaded.settings.s3.url, loaded.settings.s3.public_read) == ("http://minio:9000", True)
    assert loaded.settings.s3.link_expires_s == 60
    rows = {row.setting: row.value for row in describe(loaded)}
    assert rows["s3.secret_key_env"] == "COMFYGEN_S3_SECRET_KEY"
    assert "hush" not in repr(rows) + repr(loaded.settings)


def test_the_file_says_the_same_and_the_spool_lies_beside_it(tmp_path):
    text = "store: s3://pictures/team\nspool: here\ns3:\n  endpoint: http://minio:9000\n  region: eu\n"
    (tmp_path / "comfygen.yaml").write_text(text, encoding="utf-8")

    loaded = load_settings(environ={"XDG_DATA_HOME": str(tmp_path / "data")}, cwd=tmp_path)

    assert (loaded.settings.store, loaded.settings.s3.region) == ("s3://pictures/team", "eu")
    assert loaded.settings.spool == tmp_path / "here"
    assert loaded.sources["s3.region"] == "comfygen.yaml:5"


def test_the_spool_is_in_the_users_data_folder_by_default(tmp_path):
    settings = load_settings(environ={"XDG_DATA_HOME": str(tmp_path)}, cwd=tmp_path).settings

    assert settings.spool == tmp_path / "comfygen-mcp/spool"


def test_keys_come_from_our_variables_then_from_those_of_aws():
    assert s3_keys(S3Settings(), {**KEYS, **AWS}).access_key == "ours"
    aws = s3_keys(S3Settings(), AWS)
    assert (aws.access_key, aws.secret_key, aws.session_token) == ("theirs", "quiet", "token")
    assert not {"quiet", "token"} & set(repr(aws).split("'"))


def test_variables_of_ones_own_name_are_the_only_ones_asked():
    settings = S3Settings(access_key_env="MINE", secret_key_env="MY_SECRET")

    assert s3_keys(settings, {"MINE": "a", "MY_SECRET": "b"}).access_key == "a"
    with pytest.raises(BadConfiguration, match="environment variable MINE, which is not set"):
        s3_keys(settings, {**KEYS, **AWS})


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, r"COMFYGEN_S3_ACCESS_KEY, which is not set.*AWS_ACCESS_KEY_ID"),
        ({"COMFYGEN_S3_ACCESS_KEY": "ours", **AWS}, "COMFYGEN_S3_SECRET_KEY, which is not set"),
        ({"AWS_ACCESS_KEY_ID": "theirs"}, "AWS_SECRET_ACCESS_KEY, which is not set"),
        ({**KEYS, "COMFYGEN_S3_SECRET_KEY": "hu\nsh"}, "COMFYGEN_S3_SECRET_KEY must be one line"),
    ],
)
def test_a_key_that_is_missing_or_unfit_is_named_by_its_variable(environ, words):
    with pytest.raises(BadConfiguration, match=words) as raised:
        s3_keys(S3Settings(), environ)

    assert "hu\nsh" not in str(raised.value)
