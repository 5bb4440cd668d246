"""The C header, compiled with the system's compiler: without a warning, and of the same opinion as the model."""

import shutil
import subprocess

import numpy as np
import pytest

from jitcnn import CNN, Dense
from jitcnn.convert import convert

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-O1"]
PROGRAM = """
#include <stdio.h>
#include "{name}.h"

int main(void)
{{
    static float image[{prefix}_INPUTS], output[{prefix}_OUTPUTS];
    while (fread(image, sizeof(float), {prefix}_INPUTS, stdin) == {prefix}_INPUTS) {{
        {prefix}_predict(image, output);
        fwrite(output, sizeof(float), {prefix}_OUTPUTS, stdout);
    }}
    fprintf(stderr, "%s", {prefix}_classes[sizeof {prefix}_classes / sizeof *{prefix}_classes - 1]);
    return 0;
}}
"""
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="there is no C compiler here")


def build(folder, name, prefix):
    (folder / "main.c").write_text(PROGRAM.format(name=name, prefix=prefix))
    done = subprocess.run([COMPILER, *STRICT, "main.c", "-o", "main", "-lm"], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@needs_compiler
def test_outputs_are_those_of_the_model(model, images, tmp_path):
    convert(model, tmp_path / "model.h")
    build(tmp_path, "model", "model")
    done = subprocess.run([tmp_path / "main"], input=images.astype("<f4").tobytes(), capture_output=True, check=True)
    outputs = np.frombuffer(done.stdout, np.float32).reshape(len(images), *model.output_shape)
    np.testing.assert_allclose(outputs, model.predict(images), rtol=0, atol=1e-5)


@needs_compiler
def test_names_that_c_does_not_have(tmp_path):
    model = CNN([Dense(2, input_shape=3)], seed=1)
    model.classes = ["plain", 'Vögel "??/" \\ 1']
    convert(model, tmp_path / "7-segments.h")
    build(tmp_path, "7-segments", "model_7_segments")
    done = subprocess.run([tmp_path / "main"], input=b"", capture_output=True, check=True)
    assert done.stderr.decode() == model.classes[1]


def test_weights_are_exact_in_decimals(tmp_path):
    model = CNN([Dense(3, input_shape=5, use_bias=False)], seed=1)
    model.parameters["dense1/weights"][:2] = [[1e-38, -0.0, 3e38], [16777216, 1, -1e-45]]
    convert(model, tmp_path / "model.h")
    text = (tmp_path / "model.h").read_text()
    numbers = text[text.index("weights[] = {") :].partition("*/")[2].partition("}")[0]
    read = np.array([np.float32(number.strip().removesuffix("f")) for number in numbers.split(",")], np.float32)
    assert read.tobytes() == np.ascontiguousarray(model.parameters["dense1/weights"].T).tobytes()


def test_what_c_cannot_spell_is_refused(tmp_path):
    model = CNN([Dense(3, input_shape=5)], seed=1)
    model.parameters["dense1/bias"][1] = np.nan
    with pytest.raises(ValueError, match="dense1/bias holds NaN"):
        convert(model, tmp_path / "model.h")
