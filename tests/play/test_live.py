"""Training beside the page is training, to the bit; it is stepped, paused, taken back and compared; explosions are traced to a layer."""

import copy
import threading
import time
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jitcnn import CNN, Conv2d, Dense, Flatten, load
from jitcnn.play.classroom import Turn
from jitcnn.play.explosion import Explosion, Watched
from jitcnn.play.images import encode
from jitcnn.play.live import Side
from jitcnn.play.playground import Playground
from jitcnn.play.rebuilding import layers_of, rebuilt, settings_of
from tests.play.conftest import new_model, unpack


@pytest.fixture
def side(digits):
    return Side(new_model("conv-pool", digits), digits)


@pytest.fixture
def room(digits, tmp_path):
    """A playground of its own, not served."""
    found = Playground(new_model("conv-pool", digits), digits, tmp_path / "out.json")
    yield found
    found.close()


def idle(room, seconds=60):
    """Its state once nothing is left to do."""
    end = time.monotonic() + seconds
    while (state := room.classroom.state({}))["busy"]:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert state["problem"] == ""
    return state


def do(room, action, **payload):
    room.classroom.train({"action": action, **payload})
    return idle(room)


def epoch(side):
    wanted = side.epoch + 1
    while side.epoch < wanted:
        side.advance()


def test_two_epochs_are_those_of_train(side, digits):
    other = copy.deepcopy(side.model)
    other.train(digits.x, digits.y, epochs=2, progress=False)
    side.advance(3)
    epoch(side)
    epoch(side)
    assert side.model.digest() == other.digest()
    assert side.model.epochs == 2 and len(side.model.history["loss"]) == 2
    assert side.marks[-1]["loss"] == other.evaluate(digits.x_test, digits.y_test)["loss"]
    assert side.points[-1][0] == 2 and len(side.points) > 2


def test_back_to_the_best(side):
    epoch(side)
    best = side.model.digest()
    side.change(side.settings.__class__(0.5, 4, 0.2, 32))
    side.limit = np.inf
    epoch(side)
    assert side.model.digest() != best
    side.best_mark["loss"] = 0.0
    side.back_to_best()
    assert side.model.digest() == best
    assert (side.epoch, len(side.marks), side.model.epochs, len(side.model.history["loss"])) == (1, 1, 1, 1)


def test_a_class_left_out_is_not_trained_on(side, digits):
    side.change(side.settings.__class__(0.01, 4, 0.2, 32, left_out=3))
    assert len(side.order) == (digits.y != 3).sum() and not (digits.y[side.order] == 3).any()
    for _ in range(4):
        epoch(side)
    classes = side.classes
    assert classes[3] == 0.0
    assert np.mean([share for k, share in enumerate(classes) if k != 3]) > 0.6


def test_an_explosion_names_what_went_first(digits):
    model = new_model("conv-pool", digits)
    model.compile("sgd", learning_rate=60.0)
    side = Side(model, digits)
    for _ in range(20):
        side.advance(1)
        if side.explosion:
            break
    told = side.explosion.to_dict()
    assert told["first"]["layer"] in model.graph.names
    assert told["first"]["step"] <= told["step"] and not float(told["loss"]) <= 10 * told["start"]
    assert told["steps"][0] == told["step"] - len(told["steps"]) + 1
    assert set(told["series"]["weights"]) == {"conv1", "conv2", "dense1"}


def test_a_hard_batch_for_a_trained_model_is_no_explosion(digits):
    model = new_model("conv-pool", digits)
    model.compile(learning_rate=0.01)
    model.train(digits.x, digits.y, epochs=15, progress=False)
    wrong = replace(digits, y=(digits.y + 1) % 10, x_test=digits.x, y_test=digits.y)
    side = Side(model, wrong)
    side.advance(1)
    assert side.points[0][1] > 10 * side.began and side.explosion is None


def test_training_that_comes_to_nothing_names_what_went_first(digits):
    """Where all numbers stay finite and the loss is bounded, as with sigmoid units and squares, a rate far too high is told too."""
    model = CNN([Flatten(input_shape=(28, 28, 1)), Dense(16, activation="sigmoid"), Dense(10, activation="sigmoid")], seed=1)
    model.compile("sgd", learning_rate=1e4, loss="mse")
    side = Side(model, digits)
    epoch(side)
    told = side.explosion.to_dict()
    assert told["stalled"] and told["first"]["layer"] in model.graph.names and told["first"]["step"] < told["step"] == 11
    assert float(told["loss"]) == side.marks[-1]["loss"] and side.marks[-1]["accuracy"] <= side.guessed + 0.05
    other = CNN([type(layer)(**layer.describe(), input_shape=layer.declared_shape) for layer in model.layers], seed=1)
    other.compile("sgd", learning_rate=1e4, loss="mse")
    other.train(digits.x, digits.y, epochs=1, progress=False)
    assert model.digest() == other.digest() and model.epochs == 1  # the look back has changed nothing
    side.back_to_best()
    side.change(replace(side.settings, rate=1e-4))
    epoch(side)
    assert side.explosion is None  # slow is no disaster


def test_who_waits_comes_before_who_was_there():
    turn, order = Turn(), []

    def wait():
        with turn:
            order.append("waited")

    with turn:
        thread = threading.Thread(target=wait)
        thread.start()
        while not turn._next.locked():
            time.sleep(0.001)
    with turn:
        order.append("again")
    thread.join()
    assert order == ["waited", "again"]


def test_what_grew_first():
    watched = [Watched(1, {"a": 1.0, "b": 1.0}, {"a": 1.0, "b": 2.0}, {"a": 0.1})]
    watched += [Watched(2, {"a": 2.0, "b": 9.0}, {"a": 1.0, "b": 20.5}, {"a": 0.5}), Watched(3, {"a": np.nan, "b": 1.0}, {}, {})]
    first = Explosion(watched, 1.0).first()
    assert (first["layer"], first["kind"], first["step"], first["value"]) == ("b", "gradients", 2, 20.5)
    assert Explosion([watched[0], watched[2]], 1.0).first() == {"layer": "a", "kind": "outputs", "step": 3, "before": 1.0, "value": "nan"}
    assert Explosion(watched[:1], 1.0).first() is None
    caused = Watched(2, {"a": 50.0, "b": 1.0}, {"a": 1.0, "b": 2.0}, {"a": 5.0})
    assert Explosion([watched[0], caused], 1.0).first()["kind"] == "weights"


def test_the_network_with_other_settings(digits):
    model = new_model("conv-pool", digits)
    before = settings_of(model, 32)
    assert (before.filters, before.dropout, before.rate) == (4, 0.2, 0.001)
    wider = rebuilt(model, before.__class__(0.1, 8, 0.5, 32), keep_weights=False)
    assert [layer.filters for layer in wider.layers if isinstance(layer, Conv2d)] == [8, 16]
    assert wider.layers[3].rate == 0.5 and wider.optimizer.learning_rate == 0.1
    assert wider.preparation == model.preparation
    same = rebuilt(model, before, keep_weights=True)
    assert same.digest() == model.digest()
    single = new_model("single-conv", digits)
    assert [type(layer).__name__ for layer in layers_of(single.layers, before)] == ["Conv2d", "Flatten", "Dropout", "Dense"]
    classes = CNN([Conv2d(4, input_shape=(5, 5, 1)), Conv2d(10, 3)])
    assert [layer.filters for layer in layers_of(classes.layers, before.__class__(0.1, 8, 0, 32))] == [8, 10]


def test_steps_epochs_reset_and_play(room):
    first = room.classroom.sides[0].model.digest()
    assert do(room, "step")["sides"][0]["step"] == 1
    state = do(room, "epoch")
    assert (state["sides"][0]["epoch"], state["sides"][0]["step"]) == (1, 10)
    assert len(state["sides"][0]["classes"]) == 10
    more = room.classroom.state({"since": [len(state["sides"][0]["points"])], "runs": [state["sides"][0]["run"]]})
    assert more["sides"][0]["points"] == []
    assert do(room, "reset")["sides"][0]["epoch"] == 0
    assert room.classroom.sides[0].model.digest() == first
    room.classroom.train({"action": "play"})
    end = time.monotonic() + 60
    while room.classroom.state({})["sides"][0]["epoch"] < 3:
        assert time.monotonic() < end
        room.example({"number": 1})
    assert room.classroom.train({"action": "pause"})["playing"] is False


def test_settings_change_and_two_are_compared(room, digits):
    state = do(room, "set", settings={"rate": 0.02, "batch": 64, "left_out": 1})
    assert state["sides"][0]["settings"] == {"rate": 0.02, "filters": 4, "dropout": 0.2, "batch": 64, "left_out": 1}
    state = do(room, "set", settings={"dropout": 0.5})
    assert room.classroom.sides[0].model.layers[3].rate == 0.5
    do(room, "compare")
    state = do(room, "set", side=1, settings={"filters": 8, "rate": 0.001})
    assert [side["settings"]["filters"] for side in state["sides"]] == [4, 8]
    assert [side["settings"]["left_out"] for side in state["sides"]] == [1, 1]
    state = do(room, "epoch")
    assert [side["epoch"] for side in state["sides"]] == [1, 1]
    assert room.save({"side": 1}) == {"saved": "out.json"}
    assert load(room.out).digest() == room.classroom.sides[1].model.digest()
    assert len(do(room, "single")["sides"]) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"rate": 0},
        {"rate": "1"},
        {"rate": True},
        {"filters": 65},
        {"filters": 0},
        {"filters": 1.5},
        {"dropout": 1},
        {"batch": 0},
        {"left_out": 10},
        {"else": 1},
    ],
)
def test_settings_that_are_none(room, given):
    with pytest.raises(ValueError, match=next(iter(given)) if "else" not in given else "have no 'else'"):
        room.classroom.train({"action": "set", "settings": given})


def test_nothing_is_written_without_a_name(digits):
    with pytest.raises(ValueError, match="--out"):
        Playground(new_model("conv-pool", digits), digits).save({})


def test_a_model_without_data_or_labels(digits):
    model = new_model("conv-pool", digits)
    assert "--data" in Playground(model).classroom.reason
    picture = CNN([Conv2d(2, padding="same", input_shape=(28, 28, 1)), Conv2d(1, 3, padding="same")])
    assert "loss" in Playground(picture, digits).classroom.reason
    with pytest.raises(ValueError, match="loss"):
        Playground(picture, digits).classroom.train({"action": "play"})


def test_one_output_is_the_probability_of_the_second_of_two_classes():
    model = CNN([Flatten(input_shape=(4, 4, 1)), Dense(1, activation="sigmoid")], seed=1, engine="python")
    playground, image = Playground(model), np.full((4, 4, 1), 200, np.uint8)
    assert playground.about({})["classes"] == ["0", "1"]
    yes = float(model.predict(image)[0])
    assert unpack(playground.look({"image": encode(image)}))["outputs"] == pytest.approx([1 - yes, yes], abs=1e-6)


@settings(max_examples=30)
@given(data=st.data())
def test_any_command(playground, data):
    """Of the shared playground, which goes back to its first weights."""
    value = st.one_of(st.none(), st.booleans(), st.integers(-5, 5), st.floats(allow_nan=False), st.text(max_size=5))
    payload = data.draw(
        st.dictionaries(st.sampled_from(["side", "settings", "since", "runs"]), st.one_of(value, st.lists(value, max_size=3)))
    )
    payload["action"] = data.draw(st.one_of(st.sampled_from(["pause", "single", "nothing"]), value))
    with suppress(ValueError):
        assert "sides" in playground.classroom.train(payload)
    assert idle(playground)["problem"] == ""
