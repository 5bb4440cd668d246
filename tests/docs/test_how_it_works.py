"""The pages of docs/how-it-works: loops are the source's, numbers come out, a layer's page has all its parts."""

import doctest
import re
import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "how-it-works"
PAGES = sorted(FOLDER.glob("*.md"))
LAYERS = ("dense", "convolution", "pooling", "activations", "softmax-cross-entropy", "dropout", "flatten-upsample-padding", "optimizers")
PARTS = ("Formula", "The loop", "Worked example", "Picture", "The gradient, step by step", "The fast kernel's idea")
FILL = runpy.run_path(str(FOLDER / "fill.py"))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@each_page
def test_loops_are_those_of_the_source(page):
    assert FILL["filled"](page.read_text()) == page.read_text(), "the source has changed: python docs/how-it-works/fill.py"


def test_another_loop_is_found():
    page = (FOLDER / "dense.md").read_text()
    changed = page.replace("total += x[n, k] * w[k, o]", "total += x[n, k] * w[o, k]")
    assert changed != page
    assert FILL["filled"](changed) == page


@each_page
def test_examples_give_what_is_printed(page):
    """All examples of a page, as one session."""
    blocks = re.findall(r"^```pycon\n(.*?)^```$", page.read_text(), re.DOTALL | re.MULTILINE)
    session = doctest.DocTestParser().get_doctest("\n".join(blocks), {}, page.name, str(page), 0)
    results = doctest.DocTestRunner().run(session)
    assert results.failed == 0
    assert results.attempted or page.stem == "README"


@pytest.mark.parametrize("name", LAYERS)
def test_a_layers_page_has_all_its_parts(name):
    parts = re.split(r"^## (.*)$", (FOLDER / f"{name}.md").read_text(), flags=re.MULTILINE)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    wanted = [part for part in PARTS if part in texts]
    assert wanted == list(PARTS if name != "optimizers" else [part for part in PARTS if "gradient" not in part])
    assert "| symbol | shape |" in texts["Formula"]
    assert "```python jitcnn/reference/" in texts["The loop"]
    assert ">>>" in texts["Worked example"]
    assert re.search(r"!\[.+\]\(\.\./pictures/\S+\.png\)", texts["Picture"])
    if name not in ("dropout", "optimizers"):  # the gradient of dropout is its own loop
        assert "```python jitcnn/reference/" in texts["The gradient, step by step"]


def test_every_page_is_in_the_index():
    index = (FOLDER / "README.md").read_text()
    assert [page.name for page in PAGES if page.stem != "README" and f"]({page.name})" not in index] == []


@each_page
def test_links_and_pictures_are_there(page):
    for link, heading in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text()):
        target = (page.parent / link).resolve() if link else page
        assert target.exists(), link
        if heading:
            headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", words.lower()).replace(" ", "-") for words in headings], heading
