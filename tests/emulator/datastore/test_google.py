"""Google's Datastore emulator: finding it, and what is said when it does not start."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from gae_pusher.emulator.datastore.google import GoogleDatastore, find
from gae_pusher.emulator.ports import free_port
from gae_pusher.errors import ConfigurationError


def make_sdk(folder: Path, script: str | None) -> dict[str, str]:
    """A folder that looks like the SDK; gives the programs that are then found."""
    gcloud = folder / "sdk" / "bin" / "gcloud"
    gcloud.parent.mkdir(parents=True)
    gcloud.touch()
    (folder / "link").symlink_to(gcloud)
    if script is not None:
        emulator = folder / "sdk/platform/cloud-datastore-emulator/cloud_datastore_emulator"
        emulator.parent.mkdir(parents=True)
        emulator.write_text(script)
        emulator.chmod(0o755)
    return {"gcloud": str(folder / "link"), "java": "/usr/bin/java"}


def test_it_is_found_through_a_link(tmp_path: Path) -> None:
    """/usr/bin/gcloud is usually a link into the SDK."""
    found = find(make_sdk(tmp_path, "").get)
    assert found == tmp_path / "sdk/platform/cloud-datastore-emulator/cloud_datastore_emulator"


def test_an_sdk_without_it_says_what_to_install(tmp_path: Path) -> None:
    """gcloud alone has no emulator."""
    with pytest.raises(ConfigurationError, match="components install cloud-datastore-emulator"):
        find(make_sdk(tmp_path, None).get)


def test_its_last_words_are_in_the_error(tmp_path: Path) -> None:
    """An emulator that ends instead of listening is quoted."""
    make_sdk(tmp_path, "#!/bin/sh\necho starting\necho 'Unsupported Java version'\nexit 1\n")
    script = tmp_path / "sdk/platform/cloud-datastore-emulator/cloud_datastore_emulator"

    async def scenario() -> None:
        datastore = GoogleDatastore(script, "127.0.0.1", free_port(), tmp_path / "data")
        try:
            await datastore.start(os.environ)
        finally:
            await datastore.stop()

    with pytest.raises(ConfigurationError, match="did not start: Unsupported Java version"):
        asyncio.run(scenario())
