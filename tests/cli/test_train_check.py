"""`jitcnn train --check`: says whether a training can work, and leaves nothing behind."""

from tests.cli.conftest import TINY, done, refused


def test_check_says_whether_a_training_can_work(run, digits, tmp_path):
    """And leaves nothing behind."""
    before = sorted(tmp_path.iterdir())
    found = done(run(*TINY, "--data", digits, "--check", "--json"))
    assert [one["check"] for one in found["checks"]] == ["shapes", "loss at the start", "one batch by heart", "test", "saving"]
    assert found["ok"] and sorted(tmp_path.iterdir()) == before
    hopeless = run(*TINY, "--data", digits, "--check", "--lr", 1e-9)
    assert hopeless.exit_code == 1 and "LOOK  only" in hopeless.stdout
    assert "jitcnn: not as it should be: one batch by heart" in hopeless.stderr
    assert "leave --resume and --find-lr out" in refused(run(*TINY, "--check", "--find-lr"))
