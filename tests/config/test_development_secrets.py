"""Secrets that development makes for itself."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nullspend_margins.config import Config, load_config
from nullspend_margins.config.development import kept_secrets
from nullspend_margins.errors import ConfigurationError

PRINT_KEY = """
import sys
from nullspend_margins.config import load_config
sys.stdin.readline()
print(load_config(sys.argv[1]).session.secret_keys[0].reveal())
"""


def write(folder: Path, text: str = "") -> Path:
    file = folder / "margins.toml"
    file.write_text(text)
    return file


def revealed(config: Config) -> tuple[str, ...]:
    assert config.cron.secret is not None
    secrets = (*config.session.secret_keys, *config.encryption.keys, config.cron.secret)
    return tuple(secret.reveal() for secret in secrets)


def test_they_are_kept_beside_the_database_for_their_owner_alone(tmp_path: Path) -> None:
    first = load_config(write(tmp_path))
    file = tmp_path / "margins.db.secrets.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert revealed(load_config(tmp_path / "margins.toml")) == revealed(first)
    assert sorted(each.name for each in tmp_path.iterdir()) == [
        "margins.db.secrets.json",
        "margins.toml",
    ]


def test_with_postgresql_they_are_kept_beside_the_configuration(tmp_path: Path) -> None:
    load_config(write(tmp_path, '[database]\nurl = "postgresql://u@h/n"'))
    assert (tmp_path / "margins.toml.secrets.json").exists()


def test_a_database_in_a_folder_still_to_be_made_gets_it(tmp_path: Path) -> None:
    load_config(write(tmp_path, '[database]\nurl = "sqlite:///data/m.db"'))
    assert (tmp_path / "data" / "m.db.secrets.json").exists()


def test_only_what_is_missing_is_generated(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, '[cron]\nsecret = "mine"'))
    assert revealed(config)[-1] == "mine"
    assert len(revealed(config)) == 3


def test_with_all_three_set_no_file_is_made(tmp_path: Path) -> None:
    session, encryption, cron = revealed(load_config(write(tmp_path), keep_secrets=False))
    text = (
        f'session.secret_keys=["{session}"]\nencryption.keys=["{encryption}"]\ncron.secret="{cron}"'
    )
    assert revealed(load_config(write(tmp_path, text))) == (session, encryption, cron)
    assert not list(tmp_path.glob("*.secrets.json"))


def test_many_threads_at_once_agree(tmp_path: Path) -> None:
    file = write(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        found = set(pool.map(lambda _: revealed(load_config(file)), range(64)))
    assert len(found) == 1
    assert not [each for each in tmp_path.iterdir() if each.name.startswith(".")]


def test_two_processes_at_once_agree(tmp_path: Path) -> None:
    file = write(tmp_path)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PRINT_KEY, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = {process.communicate(timeout=60)[0] for process in processes}
    assert len(answers) == 1
    assert len(answers.pop().strip()) >= 32


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"session": 1, "encryption": "x", "cron": "y"}', "\xff"]
)
def test_a_damaged_file_says_what_to_do(tmp_path: Path, content: str) -> None:
    file = tmp_path / "margins.db.secrets.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(ConfigurationError, match=r"damaged|not text") as caught:
        load_config(write(tmp_path))
    assert str(file) in str(caught.value)


def test_a_file_with_a_secret_missing_is_damaged(tmp_path: Path) -> None:
    load_config(write(tmp_path))
    file = tmp_path / "margins.db.secrets.json"
    kept = json.loads(file.read_text())
    del kept["cron"]
    file.write_text(json.dumps(kept))
    with pytest.raises(ConfigurationError, match=r"damaged\. Delete the file"):
        load_config(tmp_path / "margins.toml")


def test_a_place_that_cannot_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, no folder")
    with pytest.raises(ConfigurationError, match="cannot keep the generated development secrets"):
        kept_secrets(tmp_path / "taken" / "m.db.secrets.json")
