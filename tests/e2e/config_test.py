"""onward inspect --config."""
import subprocess

from conftest import ONWARD


def inspect(path):
    return subprocess.run([ONWARD, "inspect", "--config", str(path)], capture_output=True, text=True, timeout=20)


def test_shows_every_setting(tmp_path):
    defaults = inspect(tmp_path)
    assert defaults.returncode == 0
    assert "max_batch: 32\n" in defaults.stdout and "versions: {latest: 1}\n" in defaults.stdout
    file = tmp_path / "model.yaml"
    file.write_text("max_batch: 8\n")
    assert inspect(tmp_path).stdout == defaults.stdout.replace("max_batch: 32", "max_batch: 8")
    assert inspect(file).stdout == inspect(tmp_path).stdout


def test_names_what_is_wrong(tmp_path):
    file = tmp_path / "model.yaml"
    file.write_text("max_batch: 8\nmax_bach: 9\n")
    run = inspect(file)
    assert run.returncode == 1 and "model.yaml:2" in run.stderr
    assert inspect(tmp_path / "none.yaml").returncode == 1
