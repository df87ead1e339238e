"""Configuration: where it is looked for, what overrides what, and what is said about mistakes."""

import base64
import os
import re
from pathlib import Path

import pytest

from comfygen_mcp.config import (
    BackendBlock,
    EngineSettings,
    HttpSettings,
    S3Settings,
    Settings,
    checked_url,
    host_of,
    load_settings,
    read_environment,
    user_config_file,
)
from comfygen_mcp.config_environment import variables
from comfygen_mcp.config_rows import describe
from comfygen_mcp.errors import BadConfiguration

ROOT = Path(__file__).parent.parent
BLOCK = "backends:\n  fox:\n    base_url: http://fox:8188\n"


@pytest.fixture
def home(tmp_path):
    """An environment whose user folders are empty ones of this test."""
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "user-config"),
        "XDG_DATA_HOME": str(tmp_path / "user-data"),
    }


@pytest.fixture
def load(tmp_path, home):
    def load_text(text=None, environ=(), **more):
        if text is not None:
            data = text if isinstance(text, bytes) else text.encode()
            (tmp_path / "comfygen.yaml").write_bytes(data)
        return load_settings(environ={**home, **dict(environ)}, cwd=tmp_path, **more)

    return load_text


def problem_of(load, text, **more):
    with pytest.raises(BadConfiguration) as raised:
        load(text, **more)
    return str(raised.value)


def test_without_a_file_everything_is_a_default(load, tmp_path):
    loaded = load()

    assert loaded.file is None
    assert loaded.settings.backends == {}
    assert loaded.settings.comfyui_url is None
    assert loaded.settings.store == str(tmp_path / "user-data/comfygen-mcp/gallery")
    assert loaded.settings.engine.folder == tmp_path / "user-data/comfygen-mcp/engine"
    assert (loaded.settings.timeout_image_s, loaded.settings.timeout_video_s) == (300, 1800)
    assert (loaded.settings.http.host, loaded.settings.http.port) == ("127.0.0.1", 8765)
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.notes == ()


def test_settings_without_arguments_stand_on_their_own():
    assert Settings().store.endswith("gallery")
    assert Settings().engine.folder.name == "engine"


def test_without_a_user_folder_in_the_environment_the_platform_knows_one():
    assert user_config_file({}).parts[-2:] == ("comfygen-mcp", "comfygen.yaml")


def test_the_file_is_the_named_one_then_the_variable_then_the_folder_then_the_users(load, tmp_path, home):
    def write(file, value):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"default_backend: {value}\n")
        return file

    def chosen(**more):
        return load(**more).settings.default_backend

    write(user_config_file(home), "from-user")
    assert chosen() == "from-user"
    write(tmp_path / "comfygen.yaml", "from-folder")
    assert chosen() == "from-folder"
    write(tmp_path / "home/other.yaml", "from-variable")
    assert chosen(environ={"COMFYGEN_CONFIG": "~/other.yaml"}) == "from-variable"
    named = write(tmp_path / "named.yaml", "from-argument")
    assert (
        chosen(environ={"COMFYGEN_CONFIG": "~/other.yaml"}, config_file=Path("named.yaml")) == "from-argument"
    )
    assert load(config_file=named).file == named


@pytest.mark.parametrize(
    ("more", "origin"),
    [
        ({"config_file": Path("gone.yaml")}, "--config names 'gone.yaml'"),
        ({"environ": {"COMFYGEN_CONFIG": "gone.yaml"}}, "COMFYGEN_CONFIG names 'gone.yaml'"),
    ],
)
def test_a_named_file_that_is_missing_is_an_error_that_names_who_named_it(load, more, origin):
    text = problem_of(load, None, **more)

    assert origin in text
    assert "comfygen config init" in text


def test_a_block_splits_into_fields_and_knobs(load):
    block = load(
        "backends:\n"
        "  fox:\n"
        "    base_url: HTTP://Fox.LAN:8188/comfy/\n"
        "    model: fox.safetensors\n"
        "    default_steps: 6\n"
        "    default_cfg: 2\n"
        "    wake_hint:\n"
        "    vae: v.safetensors\n"
        "    guidance: 3.5\n"
        "    tiled: true\n"
        "    mode: 3\n"
        "    requires: [{file: fox.safetensors, folder: checkpoints}]\n"
    ).settings.backends["fox"]

    assert block.name == "fox"
    assert block.urls == ("http://fox.lan:8188/comfy",)
    assert block.workflow == "flux1-schnell"
    assert block.wake_hint is None
    assert block.knobs == {"vae": "v.safetensors", "guidance": 3.5, "tiled": True, "mode": 3}
    assert block.requires[0].folder == "checkpoints"
    assert block.template_values() == {"model": "fox.safetensors", "steps": 6, "cfg": 2.0, **block.knobs}


def test_a_plain_knob_beats_its_default():
    assert BackendBlock(default_steps=4, knobs={"steps": 9}).template_values() == {"steps": 9}


def test_an_empty_block_has_no_address_and_no_values():
    assert BackendBlock().urls == ()
    assert BackendBlock().template_values() == {}


def test_several_hosts_are_kept_once_each_and_the_first_is_used(load):
    block = load("backends: {fox: {hosts: [http://a:1, http://b, http://a:1/]}}").settings.backends["fox"]

    assert block.urls == ("http://a:1", "http://b")
    assert host_of(block, {}).url == "http://a:1"


def test_headers_and_passwords_come_from_the_named_variables(load):
    block = load(
        BLOCK + "    wake_hint: wake it\n"
        "    headers: {X-Key: {env: FOX_KEY}, X-Trace: plain}\n"
        "    auth: {type: basic, username: me, password_env: FOX_PASSWORD}\n"
    ).settings.backends["fox"]

    host = host_of(block, {"FOX_KEY": "k1", "FOX_PASSWORD": "pä:ss"})

    assert host.wake_hint == "wake it"
    assert host.headers["X-Key"] == "k1"
    assert host.headers["X-Trace"] == "plain"
    scheme, _, token = host.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(token).decode()) == ("Basic", "me:pä:ss")


def test_a_bearer_token_and_a_user_name_come_from_the_environment_too(load):
    settings = load(
        BLOCK + "    auth: {type: bearer, token_env: FOX_TOKEN}\n"
        "  hen:\n"
        "    base_url: http://hen\n"
        "    auth: {type: basic, username_env: HEN, password_env: HEN_PASSWORD}\n"
    ).settings

    bearer = host_of(settings.backends["fox"], {"FOX_TOKEN": "t"})
    basic = host_of(settings.backends["hen"], {"HEN": "u", "HEN_PASSWORD": "p"})

    assert bearer.headers == {"Authorization": "Bearer t"}
    assert basic.headers == {"Authorization": "Basic " + base64.b64encode(b"u:p").decode()}


@pytest.mark.parametrize("environ", [{}, {"FOX_TOKEN": ""}])
def test_a_secret_that_is_not_set_is_an_error_that_names_variable_and_backend(environ):
    block = BackendBlock.model_validate(
        {"name": "fox", "base_url": "http://fox", "auth": {"type": "bearer", "token_env": "FOX_TOKEN"}}
    )

    with pytest.raises(BadConfiguration, match="'fox' needs the environment variable FOX_TOKEN"):
        host_of(block, environ)


def test_a_secret_of_two_lines_is_refused_without_being_shown():
    block = BackendBlock.model_validate(
        {"name": "fox", "base_url": "http://fox", "headers": {"X-K": {"env": "FOX"}}}
    )

    with pytest.raises(BadConfiguration, match="one line of text") as raised:
        host_of(block, {"FOX": "hush\r\nX-Evil: 1"})
    assert "hush" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://127.0.0.1:8188/", "http://127.0.0.1:8188"),
        (" https://A.example ", "https://a.example"),
        ("http://[::1]:8188", "http://[::1]:8188"),
        ("https://h/comfy/", "https://h/comfy"),
    ],
)
def test_an_address_has_one_normal_form(url, normal):
    assert checked_url(url) == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:8188", "http://"),
        ("ftp://h", "http://"),
        ("http://", "a host"),
        ("http://h:99999", "is no URL"),
        ("http://h?a=1", "before any"),
        ("http://h#a", "before any"),
        ("http://h /x", "without spaces"),
        ("http://h\\x", "without spaces"),
        ("http://me:pw@h", "put them under auth"),
        ("", "http://"),
    ],
)
def test_what_is_no_address_is_refused_with_the_reason(url, reason):
    with pytest.raises(ValueError, match=re.escape(reason)):
        checked_url(url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("backends:\n\tfox: 1", ["comfygen.yaml line 2, column 1", "tab"]),
        ("store: [", ["comfygen.yaml line 1", "expected"]),
        ("a: 'x", ["comfygen.yaml line 1"]),
        (b"store: \xff", ["not UTF-8"]),
        (b"store: \x00", ["not valid YAML"]),
        ("- store", ["must hold `key: value` lines"]),
        ("just text", ["must hold `key: value` lines"]),
        ("store: a\nstore: b", ["line 2", "'store' stands already in line 1"]),
        ("5: a", ["the key '5' must be text"]),
        ("? [a]\n: b", ["must be text"]),
        ("store: 2024-99-99", ["line 1, column 8", "quotes"]),
        ("store: !!python/object:os.system x", ["could not determine a constructor"]),
        ("store: " + "[" * 3000, ["nested too deeply"]),
        ("store: &a [*a]", ["nested too deeply"]),
        ("a: &a [x, x, x, x, x, x, x, x, x, x]\n" * 1 + "".join(
            f"b{n}: &b{n} [{', '.join([f'*b{n - 1}' if n else '*a'] * 10)}]\n" for n in range(5)
        ), ["too many values"]),
        ("store: " + "x" * 1_000_001, ["larger than 1 MB"]),
        ("stor: here", ["unknown key 'stor'", "Did you mean 'store'?", "Known: backends"]),
        ("qqqqq: 1", ["unknown key 'qqqqq'. Known:"]),
        ("http: {prt: 1}", ["line 1, column 8", "unknown key 'prt' in http", "'port'"]),
        ("engine: {idle: 1}", ["unknown key 'idle' in engine", "'idle_s'"]),
        ("store: s3://bucket", ["line 1, column 1: store: s3://bucket needs s3.endpoint (or COMF"]),
        ("store: s3://Bucket", ["store is 's3://Bucket': names the bucket 'Bucket'", "such as s3://comfy-gen"]),
        ("store: s3://1.2.3.4", ["names the bucket '1.2.3.4'"]),
        ("store: s3://bucket/a/../b", ["has the prefix 'a/../b'", "such as s3://comfy-gen/team"]),
        ("store: s3://bucket/" + "x" * 101, ["at most 100 in all"]),
        ("store: https://x", ["must be the path of a folder, or s3://bucket/prefix"]),
        ("s3: {endpoint: 'http://h/bucket'}", ["line 1", "s3.endpoint: must be a server without a path"]),
        ("s3: {endpoint: 'http://h'}\nstore: s3:///a//b", ["has the prefix 'a//b'"]),
        ("s3: {public_endpoint: 'ftp://h'}", ["must begin with http://"]),
        ("s3: {secure: 'no'}", ["s3.secure is 'no': must be true or false"]),
        ("s3: {link_expires_s: 604801}", ["604800"]),
        ("s3: {endpont: h}", ["unknown key 'endpont' in s3", "'endpoint'"]),
        ("store: 5", ["store is 5: must be text"]),
        ("store: ''", ["store is '': must not be empty"]),
        ("presets: 5", ["presets is 5: must be a path"]),
        ("workflow_dirs: here", ["workflow_dirs is 'here': must be a list"]),
        ("workflow_dirs: [5]", ["workflow_dirs.0 is 5"]),
        ("timeout_image_s: .nan", ["must be a finite number"]),
        ("timeout_image_s: 0", ["greater than 0"]),
        ("timeout_image_s: long", ["must be a number"]),
        ("wait_s: 60", ["wait_s is 60", "45"]),
        ("log_level: loud", ["'loud'", "'debug', 'info', 'warning' or 'error'"]),
        ("http: {port: '80'}", ["http.port is '80': must be a whole number"]),
        ("http: {port: 99999}", ["65535"]),
        ("http: {path: mcp}", ["must begin with '/'"]),
        ("http: {token: 5}", ["http.token: must be text"]),
        ("http: {token: ''}", ["http.token: must not be empty"]),
        ("http: 5", ["http is 5: must be a group of `key: value` lines"]),
        ("engine: 5", ["engine is 5: must be a group"]),
        ("backends: 5", ["backends is 5: must be a group"]),
        ("backends: {fox: 5}", ["backends.fox is 5: must be a group"]),
        ("comfyui_url: fox:8188", ["comfyui_url is 'fox:8188'", "http://"]),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_is_valid(load, text, words):
    problem = problem_of(load, text)

    assert [word for word in words if word not in problem] == [], problem


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ("{model: x}", ["line 1, column 12", "backends.fox needs a base_url"]),
        ("{type: replicate, model: a/b}", ["'replicate'", "not available yet", "'comfyui' works"]),
        ("{type: comfy, base_url: http://h}", ["backends.fox.type is 'comfy': must be 'comfyui'"]),
        ("{base_ur: http://h}", ["unknown key 'base_ur'", "Did you mean 'base_url'?"]),
        ("{BASE-URL: http://h}", ["Did you mean 'base_url'?"]),
        ("{base_url: http://h, default_step: 4}", ["Did you mean 'default_steps'?"]),
        ("{base_url: http://h, default_shift: 4}", ["key 'default_shift'", "Known: type", "default_steps"]),
        ("{base_url: http://h, modle: x}", ["Did you mean 'model'?"]),
        ("{base_url: http://h, host: http://h}", ["Did you mean 'hosts'?"]),
        ("{base_url: http://h, hosts: [http://h]}", ["backends.fox: takes base_url or a list hosts"]),
        ("{base_url: ftp://h}", ["backends.fox.base_url is 'ftp://h': must begin"]),
        ("{hosts: [http://h, 5]}", ["backends.fox.hosts.1 is 5"]),
        ("{base_url: http://h, shift: .inf}", ["backends.fox.shift is inf", "finite"]),
        ("{base_url: http://h, shift: .nan}", ["backends.fox.shift is nan", "finite"]),
        ("{base_url: http://h, cfg: abc}", ["line 1, column 38", "fox.cfg is 'abc': must be a finite"]),
        ("{base_url: http://h, cfg: nan}", ["backends.fox.cfg is 'nan': must be a finite number"]),
        ("{base_url: http://h, cfg: true}", ["backends.fox.cfg is True: must be a finite number"]),
        ("{base_url: http://h, height: abc}", ["backends.fox.height is 'abc': must be a whole number"]),
        ("{base_url: http://h, steps: 2.5}", ["backends.fox.steps is 2.5: must be a whole number from 1 on"]),
        ("{base_url: http://h, width: 0}", ["backends.fox.width is 0: must be a whole number from 1 on"]),
        ("{base_url: http://h, shift: [1]}", ["backends.fox.shift is (1,)", "Keys with another meaning"]),
        ("{base_url: http://h, shift: }", ["backends.fox.shift is None"]),
        ("{base_url: http://h, default_steps: 4.5}", ["must be a whole number"]),
        ("{base_url: http://h, default_steps: 0}", ["greater than or equal to 1"]),
        ("{base_url: http://h, auth: {typ: basic}}", ["unknown key 'typ'", "'type'", "auth.type is missing"]),
        ("{base_url: http://h, auth: {type: x}}", ["must be 'basic' or 'bearer'"]),
        ("{base_url: http://h, auth: {type: basic, username: a}}", ["takes exactly username"]),
        ("{base_url: http://h, auth: {type: bearer}}", ["takes exactly token_env"]),
        ("{base_url: http://h, headers: {X-K: 5}}", ["headers.X-K: must be text"]),
        ("{base_url: http://h, headers: {X-K: {enw: A}}}", ["unknown key 'enw'", "'env'"]),
        ("{base_url: http://h, headers: {'a b': c}}", ["'a b' is not a header name"]),
        ('{base_url: http://h, headers: {X-K: "a\\nb"}}', ["must be one line"]),
        ("{base_url: http://h, requires: [{file: a}]}", ["requires.0.folder is missing"]),
        ("{base_url: http://h, requires: [{file: a, folder: b, fil: c}]}", ["unknown key 'fil'", "'file'"]),
    ],
)  # fmt: skip
def test_a_mistake_in_a_block_is_told_with_its_place_and_what_is_valid(load, block, words):
    problem = problem_of(load, f"backends: {{fox: {block}}}")

    assert [word for word in words if word not in problem] == [], problem


@pytest.mark.parametrize(
    "block",
    [
        "{base_url: 'http://me:hush@h'}",
        "{base_url: 'http://me:hush@h h'}",
        "{base_url: http://h, headers: {Authorization: hush}}",
        "{base_url: http://h, headers: {X-Api-Key: hush}}",
        "{base_url: http://h, auth: {type: bearer, token_env: 'hush hush'}}",
        "{base_url: http://h, api_token_env: hush-hush}",
        "{base_url: http://h, auth: hush}",
        "{base_url: http://h, hf_token: [hush]}",
        "{base_url: http://h, headers: {Authorization: {env: A}}, auth: {type: bearer, token_env: B}}",
    ],
)
def test_a_mistake_with_a_secret_is_told_without_the_secret(load, block):
    problem = problem_of(load, f"backends: {{fox: {block}}}")

    assert "comfygen.yaml line 1" in problem
    assert "hush" not in problem


def test_at_most_five_mistakes_are_listed_each_in_its_line(load):
    problem = problem_of(load, "".join(f"wrong{n}: 1\n" for n in range(9)))

    assert [line.split(":")[0] for line in problem.splitlines()] == [
        f"comfygen.yaml line {n}, column 1" for n in range(1, 6)
    ]


def test_a_file_that_cannot_be_read_is_an_error_not_a_crash(load, tmp_path):
    (tmp_path / "comfygen.yaml").mkdir()
    assert load().file is None

    with pytest.raises(BadConfiguration, match="not a file there"):
        load(config_file=tmp_path / "comfygen.yaml")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="Linux has /proc")
def test_a_file_that_fails_while_it_is_read_is_told_with_the_reason(home, tmp_path):
    with pytest.raises(BadConfiguration, match="mem cannot be read"):
        load_settings(environ=home, cwd=tmp_path, config_file=Path("/proc/self/mem"))


def test_a_file_in_a_place_that_cannot_be_looked_at_counts_as_missing(load, home):
    home["XDG_CONFIG_HOME"] = "x" * 5000

    assert load().file is None


def test_keys_that_every_request_sets_are_noted(load):
    notes = load(BLOCK + "    prompt: mine\n    shift: 1\n").notes

    assert notes == (
        "comfygen.yaml:4: 'prompt' in backends.fox has no effect, because every request sets its own.",
    )


def test_yaml_merge_keys_and_empty_values_are_understood(load):
    settings = load(
        "backends:\n"
        "  fox: &base\n"
        "    base_url: http://fox\n"
        "    shift: 1\n"
        "  hen:\n"
        "    <<: *base\n"
        "    shift: 2\n"
        "store:\nengine:\nhttp: {port: }\n"
    ).settings

    assert settings.backends["hen"].knobs == {"shift": 2}
    assert settings.backends["hen"].base_url == "http://fox"
    assert settings.http.port == 8765


def test_an_empty_file_is_a_file_without_settings(load):
    assert load("# nothing yet\n").settings == load().settings


def test_paths_are_relative_to_the_file_or_to_the_working_folder(load, tmp_path, home):
    user = user_config_file(home)
    user.parent.mkdir(parents=True)
    user.write_text("store: pictures\nworkflow_dirs: [flows, ~/flows]\npresets: /p.yaml\n")

    from_file = load().settings
    from_variable = load(environ={"COMFYGEN_STORE": "out", "COMFYGEN_WORKFLOW_DIRS": "a, b"}).settings

    assert from_file.store == str(user.parent / "pictures")
    assert from_file.workflow_dirs == (user.parent / "flows", tmp_path / "home/flows")
    assert from_file.presets == Path("/p.yaml")
    assert from_variable.store == str(tmp_path / "out")
    assert from_variable.workflow_dirs == (tmp_path / "a", tmp_path / "b")


def test_a_workflow_given_as_a_path_is_relative_to_the_file_and_a_name_stays_one(load, tmp_path, home):
    named = [
        "./my.json",
        "../up.json",
        "sub/my.json",
        ".my.json",
        "~/my.json",
        "/abs/my.json",
        "sdxl",
        "x.json",
    ]
    user = user_config_file(home)
    user.parent.mkdir(parents=True)
    user.write_text(
        "backends:\n"
        + "".join(f"  b{at}: {{base_url: http://h, workflow: {name}}}\n" for at, name in enumerate(named))
    )

    blocks = load().settings.backends.values()

    base = user.parent
    assert [Path(block.workflow) for block in blocks] == [
        base / "my.json",
        base / "../up.json",
        base / "sub/my.json",
        base / ".my.json",
        tmp_path / "home/my.json",
        Path("/abs/my.json"),
        Path("sdxl"),
        Path("x.json"),
    ]


def test_a_workflow_that_is_no_text_is_left_for_the_check(load):
    assert "backends.fox.workflow is 5" in problem_of(load, BLOCK + "    workflow: 5\n")


SECRET_KNOBS = (
    "password",
    "hf_token",
    "api_key",
    "apikey",
    "secret",
    "my-key",
    "client_secret",
    "auth_value",
)


@pytest.mark.parametrize("name", SECRET_KNOBS)
def test_a_knob_that_sounds_secret_is_hidden_and_noted(load, name):
    loaded = load(BLOCK + f"    {name}: hush\n")

    rows = {row.setting: row.value for row in describe(loaded)}

    assert rows[f"backends.fox.{name}"] == "***"
    assert loaded.settings.backends["fox"].knobs == {name: "hush"}
    assert f"comfygen.yaml:4: {name!r} in backends.fox sounds like a secret" in loaded.notes[0]
    assert "stored in sidecars" in loaded.notes[0]
    assert "hush" not in loaded.notes[0]


@pytest.mark.parametrize("name", ["tokenizer", "max_tokens", "keyframes", "monkey", "coauthors"])
def test_a_knob_that_only_resembles_a_secret_is_shown(load, name):
    loaded = load(BLOCK + f"    {name}: shown\n")

    assert {row.setting: row.value for row in describe(loaded)}[f"backends.fox.{name}"] == "shown"
    assert loaded.notes == ()


def test_a_tilde_without_a_home_stays_a_name(tmp_path):
    loaded = load_settings(
        environ={"COMFYGEN_STORE": "~/x", "XDG_CONFIG_HOME": str(tmp_path)}, cwd=tmp_path, config_file=None
    )

    assert loaded.settings.store == str(tmp_path / "~/x")


def test_the_environment_overrides_the_file_and_sources_say_so(load):
    loaded = load(
        "store: here\nhttp:\n  port: 1\n  path: /a\n" + BLOCK,
        environ={
            "COMFYUI_URL": "http://Gpu:8188/",
            "COMFYGEN_STORE": "/there",
            "COMFYGEN_HTTP_PORT": "9000",
            "COMFYGEN_TOKEN": "12345",
            "COMFYGEN_ENGINE_IDLE_S": "5",
            "COMFYGEN_HTTP_ALLOWED_HOSTS": "a.example,b.example",
            "COMFYGEN_LOG_LEVEL": "debug",
            "COMFYGEN_WAIT_S": "",
        },
    )

    settings = loaded.settings
    assert settings.comfyui_url == "http://gpu:8188"
    assert settings.store == "/there"
    assert (settings.http.port, settings.http.path) == (9000, "/a")
    assert settings.http.token.get_secret_value() == "12345"
    assert settings.http.allowed_hosts == ("a.example", "b.example")
    assert (settings.engine.idle_s, settings.log_level, settings.wait_s) == (5, "debug", 45)
    assert loaded.sources["comfyui_url"] == "environment COMFYUI_URL"
    assert loaded.sources["store"] == "environment COMFYGEN_STORE"
    assert loaded.sources["http.path"] == "comfygen.yaml:4"
    assert loaded.sources["backends.fox.base_url"] == "comfygen.yaml:7"
    assert loaded.sources["wait_s"] == "default"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"COMFYGEN_HTTP_PORT": "abc"}, "Environment variable COMFYGEN_HTTP_PORT: http.port is 'abc'"),
        ({"COMFYGEN_WAIT_S": "soon"}, "Environment variable COMFYGEN_WAIT_S: wait_s is 'soon'"),
        ({"COMFYGEN_WAIT_S": "nan"}, "must be a finite number"),
        ({"COMFYUI_URL": "gpu:8188"}, "Environment variable COMFYUI_URL: comfyui_url is 'gpu:8188'"),
        ({"COMFYGEN_TOKEN": ""}, "COMFYGEN_TOKEN: http.token: must not be empty"),
        (
            {"COMFYGEN_STORE": "s3://bucket"},
            "Environment variable COMFYGEN_STORE: store: s3://bucket needs s3.endpoint",
        ),
        (
            {"COMFYGEN_S3_ENDPOINT": "http://h/b"},
            "variable COMFYGEN_S3_ENDPOINT: s3.endpoint: must be a server",
        ),
        ({"COMFYGEN_S3_PUBLIC_ENDPOINT": "ftp://h"}, "COMFYGEN_S3_PUBLIC_ENDPOINT: s3.public_endpoint: must"),
        (
            {"COMFYGEN_STORE": "s3://b"},
            "COMFYGEN_STORE: store is 's3://b': names the bucket",
        ),
        ({"COMFYGEN_S3_SECURE": "maybe"}, "COMFYGEN_S3_SECURE: s3.secure is 'maybe': must be true or false"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(load, environ, words):
    problem = problem_of(load, None, environ=environ)

    assert words in problem
    assert "comfygen.yaml" not in problem


def test_an_override_inside_a_group_of_a_wrong_type_leaves_the_group_to_be_named(load):
    assert "http is 5" in problem_of(load, "http: 5", environ={"COMFYGEN_HTTP_PORT": "80"})


def test_unknown_variables_are_noted_with_the_nearest_name(load):
    notes = load(environ={"COMFYGEN_STOER": "x", "COMFYGEN_QQQQ": "y", "COMFYGEN_CONFIG": ""}).notes

    unknown = "The environment variable {} is not a setting and has no effect."
    assert notes == (
        unknown.format("COMFYGEN_QQQQ"),
        unknown.format("COMFYGEN_STOER") + " Did you mean COMFYGEN_STORE?",
    )


def test_the_environment_is_a_copy_of_the_processs_own(monkeypatch):
    monkeypatch.setenv("COMFYGEN_STORE", "here")

    environ = read_environment()
    environ["COMFYGEN_STORE"] = "there"

    assert os.environ["COMFYGEN_STORE"] == "here"


def test_the_description_shows_values_and_sources_and_hides_secrets(load):
    loaded = load(
        BLOCK + "    headers: {X-Key: {env: FOX_KEY}, X-Trace: plain}\n"
        "    auth: {type: basic, username: me, password_env: FOX_PASSWORD}\n"
        "    requires: [{file: a, folder: b}]\n"
        "    tiled: true\n",
        environ={"COMFYGEN_TOKEN": "hush", "FOX_KEY": "hush", "FOX_PASSWORD": "hush"},
    )

    rows = {row.setting: row for row in describe(loaded)}

    assert rows["http.token"].value == "(set, hidden)"
    assert rows["http.token"].source == "environment COMFYGEN_TOKEN"
    assert rows["backends.fox.headers"].value == "X-Key: (hidden, from FOX_KEY), X-Trace: plain"
    assert rows["backends.fox.auth"].value == "type basic, username me, password_env FOX_PASSWORD"
    assert rows["backends.fox.requires"].value == "file a, folder b"
    assert rows["backends.fox.tiled"].value == "true"
    assert rows["backends.fox.workflow"].source == "default"
    assert rows["backends.fox.base_url"].source == "comfygen.yaml:3"
    assert rows["presets"].value == "-"
    assert "backends.fox.hosts" not in rows
    assert "hush" not in repr(rows) + repr(loaded.settings)


def test_every_setting_and_variable_is_documented():
    text = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    fields = [
        *(f"`{name}`" for name in Settings.model_fields),
        *(f"`engine.{name}`" for name in EngineSettings.model_fields),
        *(f"`http.{name}`" for name in HttpSettings.model_fields),
        *(f"`s3.{name}`" for name in S3Settings.model_fields),
        *(f"`{name}`" for name in BackendBlock.model_fields if name not in ("name", "knobs")),
        *(f"`{name}`" for name in [*variables(), "COMFYGEN_CONFIG"]),
    ]

    assert [field for field in fields if field not in text] == []
