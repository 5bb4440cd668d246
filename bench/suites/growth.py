"""How the time of a training step grows with its work: over batch, image, channels and threads, one of them varied at a time."""

from pathlib import Path
from statistics import median
from typing import Any

from bench.session import Session
from jitcnn.measuring.report import Table, number

ROUNDS, SECONDS = 3, 0.1
BASE = {"batch_size": 32, "size": 32, "channels": 8}
AXES: dict[str, tuple[str, tuple[int, ...]]] = {
    "batch_size": ("batch", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)),
    "size": ("image", (16, 24, 28, 32, 48, 64, 96, 112, 128, 160, 192, 224)),
    "channels": ("channels", (1, 2, 3, 4, 8, 12, 16, 32, 64, 128, 256, 512)),
}
WORST = 1.25  # times dearer for the same work than something smaller: marked
PICTURE = "growth.png"
TITLE = "Growth"
HOW = (
    "Seconds of one training step (Adam) of a small network on random images: two convolutions 3x3 with as many channels, relu, a 2x2 "
    f"pooling behind each, and a dense layer. Batch {BASE['batch_size']}, images {BASE['size']}x{BASE['size']}, {BASE['channels']} "
    "channels, all threads, but for the one that varies. Work is what the step multiplies and adds. Cost is seconds times threads over "
    f"work; where it is more than {WORST} times the least cost of anything smaller in the same table, the step grows faster than its work, "
    "which the last column says."
)


def run(session: Session) -> dict[str, Any]:
    """Measure: {axis: [{"value", "threads", "seconds", "work"}]}, and draw it where Matplotlib is installed."""
    results: dict[str, Any] = {}
    for axis, (name, values) in AXES.items():
        results[name] = [point(session, value, session.threads, **BASE | {axis: value}) for value in values]
        say(name, results[name])
    results["threads"] = [point(session, threads, threads, **BASE) for threads in range(1, session.threads + 1)]
    say("threads", results["threads"])
    draw(results, session.folder)
    return results


def point(session: Session, value: int, threads: int, **network: int) -> dict[str, float]:
    """One step's median seconds, and its work in GFLOP."""
    ours = session.ours(threads)
    work = ours.ask("prepare_step", **network)
    seconds = [ours.ask("step", seconds=session.seconds or SECONDS) for _ in range(session.rounds or ROUNDS)]
    return {"value": value, "threads": threads, "seconds": median(seconds), "work": work}


def cost(one: dict[str, float]) -> float:
    """Thread seconds for 10^9 multiplications and additions."""
    return one["seconds"] * one["threads"] / one["work"]


def dearer(points: list[dict[str, float]]) -> list[tuple[float, float]]:
    """For each point: how many times the least cost of those before it its own is, and the value of that one."""
    found: list[tuple[float, float]] = []
    for number_before, one in enumerate(points):
        least = min(points[: number_before + 1], key=cost)
        found.append((cost(one) / cost(least), least["value"]))
    return found


def say(name: str, points: list[dict[str, float]]) -> None:
    """One line while the suite runs."""
    print(f"{name}: " + ", ".join(f"{one['value']}: {number(1e3 * one['seconds'])} ms" for one in points), flush=True)


def draw(results: dict[str, Any], folder: Path) -> None:
    """Draw seconds and cost of each axis; nothing without Matplotlib."""
    try:
        import matplotlib
    except ImportError:
        (folder / PICTURE).unlink(missing_ok=True)
        return
    matplotlib.use("agg")
    from matplotlib import pyplot
    from matplotlib.ticker import NullLocator

    figure, places = pyplot.subplots(2, len(results), figsize=(4 * len(results), 6), layout="constrained", squeeze=False)
    for (name, points), (upper, lower) in zip(results.items(), places.T, strict=True):
        values = [one["value"] for one in points]
        upper.plot(values, [1e3 * one["seconds"] for one in points], "o-", label="measured")
        fewest = min(points, key=cost)
        ideal = [1e3 * cost(fewest) * one["work"] / one["threads"] for one in points]
        upper.plot(values, ideal, "--", color="grey", label=f"as {name} {fewest['value']:g}")
        lower.plot(values, [one["work"] / one["seconds"] for one in points], "o-")
        marked = [one for one, (times, _) in zip(points, dearer(points), strict=True) if times > WORST]
        lower.plot(
            [one["value"] for one in marked],
            [one["work"] / one["seconds"] for one in marked],
            "rx",
            markersize=12,
            label="grows faster than its work",
        )
        upper.set(title=name, xscale="log", yscale="log", ylabel="ms a step" if name == "batch" else None)
        lower.set(xlabel=name, xscale="log", ylim=(0, None), ylabel="GFLOP/s" if name == "batch" else None)
        for place in (upper, lower):
            place.set_xticks(values, [f"{value:g}" for value in values], fontsize=7, rotation=45)
            place.xaxis.set_minor_locator(NullLocator())
            place.grid(alpha=0.3)
        upper.legend(fontsize=8)
        if marked:
            lower.legend(fontsize=8)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / PICTURE, dpi=100)
    pyplot.close(figure)


def page(results: dict[str, Any]) -> str:
    """A table an axis."""
    sections = [f"![Time of a step, and its speed: crosses mark what grows faster than its work]({PICTURE})"]
    for name, points in results.items():
        rows = []
        for one, (times, least) in zip(points, dearer(points), strict=True):
            mark = f"grows: {times:.1f} times the cost at {least:g}" if times > WORST else ""
            speed = one["work"] / one["seconds"]
            rows.append([f"{one['value']:g}", number(1e3 * one["seconds"]), number(one["work"]), number(speed), mark])
        title = f"{name[0].upper()}{name[1:]}"
        sections.append(Table(title, [name, "ms a step", "GFLOP a step", "GFLOP/s", "faster than its work"], rows).markdown())
    return "\n\n".join(sections)
