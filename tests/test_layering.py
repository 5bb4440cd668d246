"""Imports run downwards only: a module imports from its own layer or from one below, never from above."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# From the top down. A name stands for the module and for everything inside it; the longest name that fits decides.
LAYERS = [
    ["jitcnn_cli", "jitcnn.__main__"],
    ["jitcnn.play"],
    ["jitcnn.blog", "jitcnn.learn", "jitcnn.measuring"],
    ["jitcnn.report"],
    ["jitcnn.plots"],
    ["jitcnn.attribution", "jitcnn.influence", "jitcnn.replay"],
    [
        "jitcnn.convert",
        "jitcnn.presets",
        "jitcnn.rate_test",
        "jitcnn.recipe",
        "jitcnn.gradient_check",
        "jitcnn.gradient_subjects",
        "jitcnn.gradient_hints",
    ],
    ["jitcnn.model"],
    ["jitcnn.compiled"],
    ["jitcnn.network"],
    [
        "jitcnn.training",
        "jitcnn.objective",
        "jitcnn.passes",
        "jitcnn.signs",
        "jitcnn.watch",
        "jitcnn.diagnosis",
        "jitcnn.runs",
        "jitcnn.describing",
        "jitcnn.progress",
        "jitcnn.callbacks",
        "jitcnn.schedules",
        "jitcnn.summary",
        "jitcnn.storage",
        "jitcnn.data",
    ],
    ["jitcnn.augmentation"],
    ["jitcnn.graph"],
    [
        "jitcnn.layers",
        "jitcnn.losses",
        "jitcnn.optimizers",
        "jitcnn.metrics",
        "jitcnn.scores",
        "jitcnn.initializers",
        "jitcnn.inputs",
        "jitcnn.labels",
        "jitcnn.weights",
        "jitcnn.statistics",
        "jitcnn.decoding",
        "jitcnn.pixels",
        "jitcnn.digits",
        "jitcnn.preparation",
    ],
    ["jitcnn.engine"],
    ["jitcnn.kernels", "jitcnn.reference"],
    ["jitcnn.forms", "jitcnn.guard", "jitcnn.mapped", "jitcnn.checks", "jitcnn.turns"],
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
FOLDERS = {"jitcnn": "jitcnn", "cli": "jitcnn_cli"}
THIRD_PARTY = {"numpy", "numba", "llvmlite", "click", "tqdm"}
EXTRAS = {"matplotlib", "PIL", "pooch", "requests"}


def modules():
    """Module name -> file, of everything that is installed."""
    found = {}
    for folder, package in FOLDERS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT / folder).with_suffix("").parts
            found[".".join((package, *parts)).removesuffix(".__init__")] = path
    return found


MODULES = modules()


def level(module):
    while module not in LEVEL and "." in module:
        module = module.rpartition(".")[0]
    return LEVEL.get(module)


def imports(module, node):
    """Names of the modules that an import statement reads."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if node.level:
        package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
        for _ in range(node.level - 1):
            package = package.rpartition(".")[0]
        base = f"{package}.{node.module}" if node.module else package
    else:
        base = node.module
    return [name if (name := f"{base}.{alias.name}") in MODULES else base for alias in node.names]


def only_for_types(node):
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(tree, deferred=True):
    """Import statements that run, those inside functions (which run late, if at all) only if wanted."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif not only_for_types(node) and (deferred or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)):
            yield from statements(node, deferred)


def test_every_module_has_its_layer():
    assert [module for module in MODULES if level(module) is None] == ["jitcnn"]


LAYERED = [module for module in sorted(MODULES) if level(module) is not None]  # all but the package's front door
LOW = [module for module in LAYERED if level(module) >= LEVEL["jitcnn.engine"]]


@pytest.mark.parametrize("module", LAYERED)
def test_imports_only_its_own_layer_and_those_below(module):
    own = level(module)
    for node in statements(ast.parse(MODULES[module].read_text()), deferred=False):
        for name in imports(module, node):
            if name in MODULES and level(name) is not None:
                assert level(name) >= own, f"{module}, line {node.lineno}, imports {name}, which lies above it"


@pytest.mark.parametrize("module", LOW)
def test_low_layers_reach_up_in_no_function_either(module):
    """From the engine down not even an import inside a function may point upwards."""
    own = level(module)
    for node in statements(ast.parse(MODULES[module].read_text())):
        for name in imports(module, node):
            if name in MODULES and level(name) is not None:
                assert level(name) >= own, f"{module}, line {node.lineno}, imports {name}, which lies above it"


@pytest.mark.parametrize("module", sorted(MODULES))
def test_depends_on_four_packages(module):
    for node in statements(ast.parse(MODULES[module].read_text())):
        for name in imports(module, node):
            top = name.partition(".")[0]
            known = top in sys.stdlib_module_names or top in THIRD_PARTY | set(FOLDERS.values())
            assert known or top in EXTRAS, f"{module}, line {node.lineno}, imports {name}, which is not among the dependencies"
    for node in statements(ast.parse(MODULES[module].read_text()), deferred=False):
        assert not any(name.partition(".")[0] in EXTRAS for name in imports(module, node)), f"{module} needs an extra at import"


@pytest.mark.parametrize("module", [name for name in LOW if level(name) == LEVEL["jitcnn.forms"]])
def test_forms_need_numpy_only(module):
    for node in statements(ast.parse(MODULES[module].read_text())):
        assert all(name.partition(".")[0] != "numba" for name in imports(module, node)), f"{module}, line {node.lineno}, imports Numba"


def test_no_circles():
    reads = {
        module: {
            name for node in statements(ast.parse(path.read_text()), deferred=False) for name in imports(module, node) if name in MODULES
        }
        for module, path in MODULES.items()
    }
    free = dict(reads)
    while ready := [module for module, names in free.items() if not names - {module} & set(free)]:
        for module in ready:
            del free[module]
        free = {module: names & set(free) for module, names in free.items()}
    assert not free, f"these modules import each other in a circle: {sorted(free)}"
