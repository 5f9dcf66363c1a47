"""What `onward bundle` refuses; edge_test.py runs what it makes."""
import platform
import shutil
import subprocess

import pytest
from conftest import MODELS, ONWARD, onward


@pytest.fixture
def program(tmp_path):
    """Stands for an edge program: any program will do for what is never started."""
    folder = tmp_path / "dist"
    folder.mkdir()
    shutil.copy("/bin/true", folder / "onward-edge")
    (folder / "libonnxruntime.so.1").write_bytes(b"a library")
    return folder / "onward-edge"


def refused(status, *arguments):
    done = onward("bundle", *arguments)
    assert done.returncode == status, done.stderr
    return done.stderr


def test_makes_a_folder_and_a_file(program, tmp_path):
    done = onward("bundle", MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", program)
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "app").iterdir()) == ["app", "bundle.json", "libonnxruntime.so.1", "models"]
    assert (tmp_path / "app" / "models" / "linear.onnx").read_bytes() == (MODELS / "linear.onnx").read_bytes()
    done = onward("bundle", MODELS / "linear.onnx", "-o", tmp_path / "one", "--single-file", "--edge", program)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "one").stat().st_mode & 0o111


def test_refuses_what_can_not_run(program, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"\x08\x01 no model")
    assert "bad.onnx" in refused(1, tmp_path / "bad.onnx", "-o", tmp_path / "app", "--edge", program)
    assert "no such file" in refused(1, tmp_path / "none.onnx", "-o", tmp_path / "app", "--edge", program)
    assert not (tmp_path / "app").exists()


def test_refuses_to_overwrite_other_things(program, tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "thesis.txt").write_text("years of work")
    error = refused(1, MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", program)
    assert "exists and is no bundle" in error
    assert (tmp_path / "app" / "thesis.txt").exists()


def test_refuses_two_models_of_one_name(program, tmp_path):
    error = refused(1, MODELS / "linear.onnx", MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", program)
    assert 'two models are named "linear"' in error


def test_says_which_edge_program_is_missing(tmp_path):
    alone = shutil.copy(ONWARD, tmp_path / "onward")
    done = subprocess.run([alone, "bundle", str(MODELS / "linear.onnx"), "-o", str(tmp_path / "app"), "--target", "aarch64"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "there is no edge program for aarch64" in done.stderr and "make edge" in done.stderr


def test_refuses_an_edge_program_of_another_machine_or_without_its_library(program, tmp_path):
    other = {"x86_64": "aarch64", "aarch64": "x86_64"}[platform.machine()]
    assert f"not {other}" in refused(2, MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", program, "--target", other)
    assert "is no program for" in refused(1, MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", MODELS / "linear.onnx")
    (program.parent / "libonnxruntime.so.1").unlink()
    assert "there is no libonnxruntime.so.1 beside" in refused(1, MODELS / "linear.onnx", "-o", tmp_path / "app", "--edge", program)
