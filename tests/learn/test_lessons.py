"""Lessons: empty files fail with a line that helps, solutions pass, wrong ones get the hint."""

from pathlib import Path

import numpy as np
import pytest

from jitcnn.learn import checking
from jitcnn.learn.lessons import LESSONS
from jitcnn.learn.solutions import LessonError, Solution

SOLUTIONS = Path(__file__).parent / "solutions"
EACH = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: str(lesson.number))


def solve(lesson, text):
    return Solution(Path("mine.py"), text.encode(), lesson.functions)


def solution(lesson):
    return (SOLUTIONS / f"lesson{lesson.number}.py").read_text()


def test_numbers():
    assert [lesson.number for lesson in LESSONS] == list(range(1, 9))


@EACH
def test_what_is_written_names_the_function_and_has_formula_and_picture(lesson):
    text = lesson.text
    assert text.startswith(('"""Lesson', 'r"""Lesson'))
    assert all(f"\ndef {name}(" in text for name in lesson.functions)
    assert f"jitcnn learn lesson {lesson.number} --check" in text
    assert "\n    " in text.split('"""')[1]
    assert max(map(len, text.splitlines())) <= 104


@EACH
def test_the_empty_file_fails_with_a_line_that_helps(lesson):
    with pytest.raises(LessonError, match=rf"^mine.py, line \d+: {lesson.functions[0]} is still empty: write it"):
        list(checking.check(lesson, solve(lesson, lesson.text)))


@EACH
def test_a_file_without_anything_in_it_fails(lesson):
    with pytest.raises(LessonError, match=f"mine.py has no function {lesson.functions[0]}"):
        solve(lesson, "")


@EACH
def test_the_solution_passes(lesson):
    findings = list(checking.check(lesson, solve(lesson, solution(lesson))))
    assert len(findings) == 1 + lesson.is_forward
    assert all(finding.ok for finding in findings)


@EACH
def test_the_solution_computes_what_the_kernels_do_on_what_is_timed(lesson):
    """So that the speeds are those of the same work."""
    from jitcnn import kernels

    inputs = lesson.draw(np.random.default_rng(0), 2, True)
    found, expected = lesson.solve(solve(lesson, solution(lesson)), *inputs), lesson.compute(kernels, *inputs)
    for a, b in zip(*(x if isinstance(x, tuple) else (x,) for x in (found, expected)), strict=True):
        assert np.allclose(a, b, rtol=0, atol=1e-4 * np.abs(b).max())


WRONG = [  # lesson, what is right, what stands there instead, part of the hint
    (1, "y[n, o] = b[o]", "y[n, o] = 0", "the bias is missing"),
    (1, "y[n, o] += x[n, k] * w[k, o]", "y[n, o] += x[n, k] * w[k, o] + b[o] - b[o] / len(w)", "added once for every input"),
    (1, "np.empty((len(x), len(b)))", "np.empty((len(x), len(b)), np.float32)", "those of float32"),
    (2, "grad_y.sum(axis=0)", "grad_y[-1]", "the gradient of b comes from the last image of the batch only"),
    (2, "x.T @ grad_y", "x.T @ grad_y / len(x)", "the gradient of w is 3 times too small, off by the batch size"),
    (2, "return grad_y @ w.T", "return -grad_y @ w.T", "the gradient of x has the wrong sign"),
    (3, "window * w[..., o]", "window * w[::-1, ::-1, :, o]", "turned by 180 degrees"),
    (3, "window * w[..., o]", "window[..., 0] * w[..., 0, o]", "only the first channel counts"),
    (4, "* w[..., o]", "* w[::-1, ::-1, :, o]", "the gradient of x is computed with the kernel not flipped"),
    (4, "+=", "=", "only what the last filter of the last window gave it"),
    (4, "for o in range(grad_y.shape[3])", "for o in range(1)", "only the first filter counts"),
    (5, "np.sum(seen[..., c] * grad_y[..., o])", "np.sum(seen[-1, ..., c] * grad_y[-1, ..., o])", "only the last image counts"),
    (5, "seen[..., c] * grad_y[..., o])", "seen[..., c] * grad_y[..., o]) / 3", "the gradient of w is 3 times too small"),
    (5, "grad_w[u, v, c, o]", "grad_w[-1 - u, -1 - v, c, o]", "the gradient of w is rotated by 180 degrees"),
    (6, "+=", "=", "overlapping windows overwrite each other in the gradient of x"),
    (6, ".max(", ".mean(", "it is the mean of the window"),
    (
        6,
        "grad_x[n, i * stride + row, j * stride + column, c] +=",
        "window += 0; grad_x[n, i * stride : i * stride + size, j * stride : j * stride + size, c] +=",
        "every pixel of a window gets its gradient",
    ),
    (7, "-= 1", "-= 0", "nothing is taken off the right class"),
    (7, "-= 1", "+= 1", "1 is added to the right class"),
    (7, "axis=1, keepdims=True))\n    p = e / e.sum(axis=1", "axis=0))\n    p = e / e.sum(axis=0", "softmax runs over the images"),
    (7, "/ len(labels)", "", "the gradient of logits is 3 times too large, off by the batch size"),
    (8, "AT, m, AT)", "AT, m, AT).transpose(1, 0, 2)", "rows and columns exchanged"),
]


@pytest.mark.parametrize(("number", "right", "wrong", "hint"), WRONG)
def test_a_wrong_solution_gets_the_hint(number, right, wrong, hint):
    lesson = LESSONS[number - 1]
    text = solution(lesson)
    assert text.count(right) == 1
    *_, finding = checking.check(lesson, solve(lesson, text.replace(right, wrong)))
    assert not finding.ok
    assert hint in finding.hint


def test_a_mistake_that_nobody_knows_gets_no_hint():
    lesson = LESSONS[5]
    text = solution(lesson).replace("+= grad_y[n, i, j, c]", "+= grad_y[n, i, j, c] * x[n, i, j, c]")
    *_, finding = checking.check(lesson, solve(lesson, text))
    assert not finding.ok
    assert finding.hint is None


def test_a_wrong_shape():
    lesson = LESSONS[0]
    (finding,) = checking.check(lesson, solve(lesson, "def dense(x, w, b): return x @ w @ w.T"))
    assert finding.text == "the result has shape (3, 4), expected (3, 5)"
    lesson = LESSONS[3]
    (finding,) = checking.check(lesson, solve(lesson, "def conv2d_grad_input(grad_y, w, x_shape): return grad_y"))
    assert "expected its shape" in finding.text
    lesson = LESSONS[1]
    (finding,) = checking.check(lesson, solve(lesson, "def dense_backward(g, x, w): return g @ w.T, g.T @ x, g.sum(0)"))
    assert finding.text == "backward returned a gradient of (5, 4) for w, expected its shape, (4, 5)"


def test_results_that_are_no_arrays():
    lesson = LESSONS[0]
    (finding,) = checking.check(lesson, solve(lesson, "def dense(x, w, b): return [[1, 2], [3]]"))
    assert "no array of numbers" in finding.text
    lesson = LESSONS[1]
    (finding,) = checking.check(lesson, solve(lesson, "def dense_backward(grad_y, x, w): return grad_y @ w.T, x.T @ grad_y"))
    assert "returned 2 gradients, expected 3" in finding.text
    assert next(checking.check(lesson, solve(lesson, "def dense_backward(g, x, w): return [g @ w.T, x.T @ g, g.sum(0)]"))).ok


def test_a_compiled_solution():
    lesson = LESSONS[0]
    text = solution(lesson).replace("def dense", "from numba import njit\n\n@njit\ndef dense")
    assert all(finding.ok for finding in checking.check(lesson, solve(lesson, text)))


BROKEN = [
    ("def dense(x, w, b):\n    return x[99]", "mine.py, line 2: IndexError: index 99 is out of bounds for axis 0 with size 3"),
    ("def dense(x, w, b)\n    return x", "mine.py, line 1: expected ':'"),
    ("import nothing_of_this_name", "mine.py, line 1: ModuleNotFoundError: No module named 'nothing_of_this_name'"),
    ("def dense(x, w, b):\n    x @ w", "mine.py: dense returns nothing: end it with `return` and the result"),
    ("def dense(x, w, b):\n    raise SystemExit", "mine.py, line 2: SystemExit"),
    ("def dense(x, w, b):\n    return 1 / 0", "mine.py, line 2: ZeroDivisionError: division by zero"),
    ("def dense(x, w):\n    return x", "mine.py: TypeError: dense() takes 2 positional arguments but 3 were given"),
    ("def dense(x, w, b):\n    return dense(x, w, b)", "mine.py, line 2: RecursionError: maximum recursion depth exceeded"),
    (
        "from numba import njit\n@njit\ndef dense(x, w, b):\n    return x.foo",
        "mine.py, line 4: TypingError: Failed in nopython mode pipeline (step: nopython frontend) Unknown attribute 'foo'",
    ),
    ("dense = 3", "mine.py has no function dense: write it, the lesson's file shows how it begins"),
    ("\0", "mine.py: SyntaxError: source code string cannot contain null bytes"),
]


@pytest.mark.parametrize(("text", "message"), BROKEN)
def test_what_goes_wrong_is_a_line(text, message):
    with pytest.raises(LessonError) as error:
        list(checking.check(LESSONS[0], solve(LESSONS[0], text)))
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


def test_inputs_may_be_overwritten():
    lesson = LESSONS[6]
    text = solution(lesson).replace("e = np.exp", "logits -= logits.max(axis=1, keepdims=True)\n    e = np.exp")
    assert all(finding.ok for finding in checking.check(lesson, solve(lesson, text)))


def test_speeds():
    lesson = LESSONS[1]
    speeds = list(checking.speeds(lesson, solve(lesson, solution(lesson)), 0.02))
    assert [speed.rung.name for speed in speeds] == ["yours", "reference", "compiled", "fast"]
    assert all(speed.images_per_second > 0 and 1 <= speed.images <= checking.MOST_IMAGES for speed in speeds)
    assert speeds[3].images_per_second > speeds[1].images_per_second
