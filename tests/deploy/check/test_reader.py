"""Reading an app's folder: what is uploaded, what is read, what is not YAML."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from gae_pusher.deploy.check.reader import read_project
from tests.conftest import require


def write(root: Path, **files: str) -> None:
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_gcloudignore_decides_what_is_uploaded(tmp_path: Path) -> None:
    """Patterns, negations and an included .gitignore have git's meaning."""
    write(
        tmp_path,
        app_dot_yaml="runtime: python313",
        _dot_gcloudignore="*.md\n!keep.md\n/tests/\n#!include:.gitignore\n",
        _dot_gitignore="*.log\n",
        keep_dot_md="",
        drop_dot_md="",
        tests__a_dot_py="",
        lib__tests__b_dot_py="",
        x_dot_log="",
    )
    project, findings = read_project(tmp_path)
    assert findings == []
    assert project.uploaded == {
        ".gcloudignore", ".gitignore", "app.yaml", "keep.md", "lib/tests/b.py",
    }  # fmt: skip
    assert not project.has("tests")


def test_upload_agrees_with_gcloud(tmp_path: Path) -> None:
    """gcloud itself lists the same files, with and without a .gcloudignore."""
    gcloud = require("gcloud", "install the Google Cloud SDK to compare with its upload list")
    write(
        tmp_path,
        app_dot_yaml="runtime: python313",
        main_dot_py="",
        a__b_dot_txt="",
        a__c_dot_log="",
        build__out_dot_js="",
        _dot_gitignore="build/\n",
        _dot_env="A=1",
    )
    for ignore in (None, "*.log\n.env\n/a/b.txt\n", "#!include:.gitignore\n.git*\n"):
        if ignore is not None:
            (tmp_path / ".gcloudignore").write_text(ignore)
        environ = os.environ | {"CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1"}
        listed = subprocess.run(
            [gcloud, "meta", "list-files-for-upload", str(tmp_path)],
            capture_output=True, text=True, check=True, env=environ,
        )  # fmt: skip
        project, _ = read_project(tmp_path)
        if ignore is None:
            # gcloud's own default keeps back nothing but its and git's own files.
            assert project.uploaded == {"app.yaml", "main.py", "a/b.txt", "a/c.log",
                                        "build/out.js", ".env"}  # fmt: skip
        else:
            assert project.uploaded == set(listed.stdout.split())


def test_problems_of_yaml_have_a_line(tmp_path: Path) -> None:
    """A syntax error, a repeated key and a missing app.yaml are findings, not exceptions."""
    write(tmp_path, app_dot_yaml="runtime: x\nruntime: y", cron_dot_yaml="cron:\n\t- url: /")
    _, findings = read_project(tmp_path)
    assert [(f.path, f.line, f.code) for f in findings] == [
        ("app.yaml", 2, "A009"),
        ("cron.yaml", 2, "A002"),
    ]
    _, findings = read_project(tmp_path / "elsewhere")
    assert [finding.code for finding in findings] == ["A001"]


def test_installed_packages_are_counted_and_not_read(tmp_path: Path) -> None:
    """A virtual environment is known by its pyvenv.cfg, whatever its name."""
    write(tmp_path, env39__pyvenv_dot_cfg="", env39__lib__secret_dot_py="PUSHER_SECRET='12345678'")
    project, _ = read_project(tmp_path)
    assert project.installed == {"env39"}
    assert "env39/lib/secret.py" in project.uploaded
    assert "env39/lib/secret.py" not in project.texts


def test_a_missing_include_is_found(tmp_path: Path) -> None:
    """gcloud would refuse to go on; everything else is still looked at."""
    write(tmp_path, app_dot_yaml="runtime: x", _dot_gcloudignore="#!include:.gitignore\n*.log\n")
    project, findings = read_project(tmp_path)
    assert [(f.path, f.code) for f in findings] == [(".gcloudignore", "U007")]
    assert "app.yaml" in project.uploaded


def test_git_says_what_it_ignores(tmp_path: Path) -> None:
    """A .gitignore above or below the app counts, and a file that git has is not ignored."""
    require("git", "install git")
    app = tmp_path / "app"
    write(tmp_path, _dot_gitignore="*.log\nout/\n")
    write(app, app_dot_yaml="x: y", a_dot_log="", out__a_dot_js="", sub__b_dot_tmp="",
          sub___dot_gitignore="*.tmp\n", kept_dot_log="")  # fmt: skip
    for arguments in (["init", "-q"], ["add", "-f", "app/kept.log"]):
        subprocess.run(["git", "-C", str(tmp_path), *arguments], check=True)
    project, _ = read_project(app)
    assert project.git_ignored == {"a.log", "out/a.js", "sub/b.tmp"}


def test_what_comes_back_after_the_gitignore_is_wanted(tmp_path: Path) -> None:
    """A build's output that .gcloudignore takes back is no mistake."""
    write(tmp_path, app_dot_yaml="x: y", _dot_gitignore="/dist\n", dist__a_dot_js="",
          _dot_gcloudignore="#!include:.gitignore\n!/dist\n")  # fmt: skip
    project, _ = read_project(tmp_path)
    assert "dist/a.js" in project.uploaded
    assert project.git_ignored == frozenset()


def test_links_are_followed_and_never_in_a_circle(tmp_path: Path) -> None:
    """A linked folder's files are uploaded as gcloud uploads them; a link to above ends."""
    write(tmp_path, elsewhere__a_dot_py="", app__app_dot_yaml="x: y")
    (tmp_path / "app" / "lib").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "app" / "loop").symlink_to(tmp_path / "app")
    (tmp_path / "app" / "broken").symlink_to(tmp_path / "nowhere")
    project, _ = read_project(tmp_path / "app")
    assert project.uploaded == {"app.yaml", "lib/a.py", "broken"}
