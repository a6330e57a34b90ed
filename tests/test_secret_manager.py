"""Secrets by reference, read from a server that speaks Secret Manager's API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.cloud.secretmanager_v1 import (
    AccessSecretVersionRequest,
    AccessSecretVersionResponse,
    SecretPayload,
)

from gae_pusher import ConfigurationError, Pusher
from gae_pusher.cli import main
from gae_pusher.secret_manager import read_secret, with_secrets
from gae_pusher.testing.channels import RunningServer


@dataclass
class SecretManager:
    """A Secret Manager that knows these versions and counts who asks."""

    versions: dict[str, bytes] = field(default_factory=dict)
    denied: bool = False
    asked: list[str] = field(default_factory=list)

    def access(
        self, request: AccessSecretVersionRequest, context: grpc.ServicerContext
    ) -> AccessSecretVersionResponse:
        self.asked.append(request.name)
        if self.denied:
            context.abort(grpc.StatusCode.PERMISSION_DENIED, "denied")
        if request.name not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, "not found")
        return AccessSecretVersionResponse(
            name=request.name, payload=SecretPayload(data=self.versions[request.name])
        )


@pytest.fixture
def secret_manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretManager]:
    """A running one that SECRET_MANAGER_EMULATOR_HOST names."""
    manager = SecretManager()
    handler = grpc.unary_unary_rpc_method_handler(
        manager.access,
        request_deserializer=AccessSecretVersionRequest.deserialize,
        response_serializer=AccessSecretVersionResponse.serialize,
    )
    service = "google.cloud.secretmanager.v1.SecretManagerService"
    handlers = {"AccessSecretVersion": handler}
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    monkeypatch.setenv("SECRET_MANAGER_EMULATOR_HOST", f"127.0.0.1:{port}")
    read_secret.cache_clear()
    yield manager
    server.stop(None).wait()
    read_secret.cache_clear()


def test_a_pusher_of_the_environment_finds_its_secret(
    secret_manager: SecretManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """from_env takes the secret from where PUSHER_SECRET points, and asks once."""
    secret_manager.versions["projects/shop-1/secrets/pusher/versions/7"] = b"s3cret\n"
    monkeypatch.delenv("PUSHER_URL", raising=False)
    monkeypatch.setenv("PUSHER_APP_ID", "1")
    monkeypatch.setenv("PUSHER_KEY", "k")
    monkeypatch.setenv("PUSHER_SECRET", "sm://shop-1/pusher/7")
    assert Pusher.from_env().secret == "s3cret"
    assert Pusher.from_env().secret == "s3cret"
    assert len(secret_manager.asked) == 1


def test_the_newest_version_is_the_default(secret_manager: SecretManager) -> None:
    """Without a version the reference means the latest one."""
    secret_manager.versions["projects/p-1/secrets/n/versions/latest"] = b"x"
    assert read_secret("sm://p-1/n") == "x"


def test_only_pusher_variables_are_touched(secret_manager: SecretManager) -> None:
    """Other variables may hold references of other tools."""
    environ = {"OTHER": "sm://p-1/n", "PUSHER_KEY": "plain"}
    assert with_secrets(environ) is environ
    assert secret_manager.asked == []


@pytest.mark.parametrize(
    ("denied", "stored", "words"),
    [
        (True, b"x", "roles/secretmanager.secretAccessor"),
        (False, None, "does not exist"),
        (False, b"\xff\xfe", "holds no text"),
    ],
)
def test_errors_say_what_to_do(
    secret_manager: SecretManager, denied: bool, stored: bytes | None, words: str
) -> None:
    """What Secret Manager refuses becomes a configuration error that names the reference."""
    secret_manager.denied = denied
    if stored is not None:
        secret_manager.versions["projects/p-1/secrets/n/versions/1"] = stored
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_secret("sm://p-1/n/1")
    assert "sm://p-1/n/1" in str(caught.value)


@pytest.mark.parametrize("reference", ["sm://", "sm://p-1", "sm://p-1/n/old", "sm://P/n/1"])
def test_a_malformed_reference_is_refused(reference: str) -> None:
    """A typing mistake costs no network."""
    with pytest.raises(ConfigurationError, match="PROJECT/NAME/VERSION"):
        read_secret(reference)


def test_without_a_reference_the_library_is_not_loaded() -> None:
    """Who does not use Secret Manager does not pay for it."""
    code = (
        "import sys; from gae_pusher import Pusher; Pusher.from_env();"
        "sys.exit('google.cloud.secretmanager' in sys.modules)"
    )
    environ = {"PUSHER_URL": "http://k:s@localhost:1/apps/1"}
    assert subprocess.run([sys.executable, "-c", code], env=environ, check=False).returncode == 0


def test_without_credentials_it_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On a machine that is not signed in the error names the command, and the reference."""
    monkeypatch.delenv("SECRET_MANAGER_EMULATOR_HOST", raising=False)
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(ConfigurationError, match=r"sm://project/unread.*application-default login"):
        read_secret("sm://project/unread/1")


def test_commands_read_references_as_well(
    secret_manager: SecretManager,
    channels_server: RunningServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The variables of app.yaml serve the terminal too: a reference is never itself the secret."""
    pusher = Pusher.from_url(channels_server.pusher_url)
    secret_manager.versions["projects/demo/secrets/cli/versions/7"] = pusher.secret.encode()
    variables = tmp_path / "variables"
    variables.write_text(
        f"PUSHER_URL={channels_server.pusher_url}\nPUSHER_SECRET=sm://demo/cli/7\n"
    )
    assert main(["channels", "--env-file", str(variables)]) == 0
    assert capsys.readouterr().out == "no channel is occupied\n"
    variables.write_text("PUSHER_APP_ID=1\nPUSHER_KEY=key\nPUSHER_SECRET=sm://demo\n")
    assert main(["channels", "--env-file", str(variables)]) == 1
    assert "'sm://demo' is not like sm://PROJECT/NAME/VERSION" in capsys.readouterr().err
