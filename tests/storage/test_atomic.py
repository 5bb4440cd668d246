"""There is always a whole file under a model's name: the old one or the new one."""

import errno
import os
import stat

import pytest

from jitcnn import load
from jitcnn.storage import atomic
from jitcnn.storage.atomic import replace_file
from tests.storage.conftest import small_model


def test_failure_in_the_middle_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(b"old")

    def write(stream):
        stream.write(b"half of the new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        replace_file(path, write)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.json"]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_full_disk(tmp_path, monkeypatch, step):
    path = tmp_path / "model.json"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(atomic.os, step, fail)
    with pytest.raises(OSError, match="No space"):
        small_model().save(path)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.json"]


def test_the_bytes_are_on_the_disk_before_the_name_is_given(tmp_path, monkeypatch):
    done = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(atomic.os, "fsync", lambda descriptor: (done.append("fsync"), fsync(descriptor)))
    monkeypatch.setattr(atomic.os, "replace", lambda *paths: (done.append("replace"), replace(*paths)))
    replace_file(tmp_path / "model", lambda stream: stream.write(b"new"))
    assert done[:2] == ["fsync", "replace"]
    assert (tmp_path / "model").read_bytes() == b"new"


def test_symbolic_link_stays_one(tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "link.json").symlink_to(tmp_path / "store" / "model.json")
    small_model().save(tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert load(tmp_path / "link.json").digest() == load(tmp_path / "store" / "model.json").digest()


def test_permissions_stay_and_new_files_get_the_usual_ones(tmp_path):
    path = tmp_path / "model.json"
    mask = os.umask(0o022)
    try:
        replace_file(path, lambda stream: stream.write(b"1"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        path.chmod(0o600)
        replace_file(path, lambda stream: stream.write(b"2"))
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(mask)


def test_folder_device_and_missing_folder(tmp_path):
    with pytest.raises(ValueError, match="is a folder; name a file to write"):
        small_model().save(tmp_path)
    with pytest.raises(ValueError, match="not a regular file"):
        replace_file(os.devnull, lambda stream: None)
    with pytest.raises(FileNotFoundError):
        small_model().save(tmp_path / "none" / "model.json")
