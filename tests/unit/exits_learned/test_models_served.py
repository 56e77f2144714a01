"""Trained models: what is served, and everything that is refused before a run begins."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bots.coin_flip import CoinFlipBot
from data.errors import ModelError
from engine.kernel.learned import NETWORK_POLICY, NETWORK_SEQUENCE
from engine.run import Run
from exits.features import feature_hash
from exits.hybrid import HybridExit
from exits.learned import LearnedExit
from exits.lstm import SequenceRLATRExit
from exits.parity import Network, check_parity
from exits.ppo import RLTrailingATRExit
from models.store import FOLDER, Model, available, load_model, model_path, save_model
from tests.learn import grounds

KINDS = {"ppo": (RLTrailingATRExit, NETWORK_POLICY), "lstm": (SequenceRLATRExit, NETWORK_SEQUENCE)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("ppo", "lstm"):
        for suffix in (".npz", ".json"):
            shutil.copy(FOLDER / f"{name}{suffix}", tmp_path)
    return tmp_path


def change_manifest(path: Path, **changes: Any) -> None:
    file = path.with_suffix(".json")
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def exit_of(kind: str, model: Path | str, **settings: Any) -> LearnedExit:
    made = KINDS[kind][0]
    return made(made.Settings(model=str(model), **settings))


def run_with(exit: LearnedExit, drive: Any = "compiled") -> Run:
    account = grounds.engine(grounds.market(5, sessions=3))
    run = Run(account, CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001), exit), drive=drive)
    assert run.complete() == "completed", run.error
    return run


def test_the_shipped_models_are_in_the_store() -> None:
    assert {"lstm", "ppo"} <= set(available())


@pytest.mark.rule("S12.3")
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_the_multiple_served_is_the_one_with_the_highest_output(kind: str) -> None:
    run = run_with(exit_of(kind, kind))
    choices = run.engine.tables.rows("choices")
    values = np.column_stack([choices[f"v{number}"] for number in range(6)])

    assert len(choices) > 100
    assert (values.argmax(axis=1) == choices["arm"]).all()
    assert set(choices["multiple"]) <= {1.0, 1.5, 2.0, 3.0, 4.0, 6.0}
    if kind == "ppo":
        np.testing.assert_allclose(values.sum(axis=1), 1.0, rtol=1e-12)
    assert not choices["gated"].any()


@pytest.mark.rule("S12.3")
@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_the_stop_stands_at_the_multiple_that_was_chosen(kind: str) -> None:
    run = run_with(exit_of(kind, kind))
    tables, exit = run.engine.tables, run.bot.exit
    orders, atr = tables.rows("orders"), tables.attached["exit_atr_a"]

    for choice in tables.rows("choices")[:200]:
        order = orders[int(choice["order"]) - 1]
        opening = tables.bars["o"][choice["bar"], 0]
        level = opening - order["side"] * choice["multiple"] * atr[choice["bar"] - 1, 0]
        assert abs(order["stop_loss"] - level) < 1.0
        assert (opening - order["stop_loss"]) * order["side"] <= (opening - level) * order["side"] + 1.0
    assert isinstance(exit, LearnedExit)


def test_networks_are_asked_at_the_entries_taken_and_nowhere_else() -> None:
    run = run_with(exit_of("ppo", "ppo"))
    tables = run.engine.tables

    assert tables.count("choices") == np.count_nonzero(tables.rows("events")["kind"] == 12)


def test_what_is_served_in_a_run_is_what_the_evaluation_computes() -> None:
    run = run_with(exit_of("lstm", "lstm"))
    choices = run.engine.tables.rows("choices")
    from research.learning.entries import Ground

    ground = Ground(grounds.engine(grounds.market(5, sessions=3)), CoinFlipBot())
    arrays = load_model("lstm", "lstm", feature_hash()).arrays
    bars, sides = choices["bar"].astype(np.int64), choices["side"].astype(np.int8)
    rows = ground.features.closed[bars - 1, 0, 9].astype(np.int64)
    outputs = Network(dict(arrays), NETWORK_SEQUENCE, ground.features.sequence).outputs(
        ground.observe(0, bars, sides), rows, sides.astype(np.int64)
    )

    assert np.column_stack([choices[f"v{number}"] for number in range(6)]).tobytes() == outputs.tobytes()


@pytest.mark.parametrize("kind", ["ppo", "lstm"])
def test_the_batch_is_the_single_form_in_a_loop(kind: str) -> None:
    arrays = dict(load_model(kind, kind, feature_hash()).arrays)
    rng = np.random.default_rng(0)
    x, sequence = rng.standard_normal((40, 14)), rng.standard_normal((200, 8)).astype(np.float32)
    rows, sides = np.arange(100, 140), rng.choice([-1, 1], 40)
    network = Network(arrays, KINDS[kind][1], sequence)

    whole = network.outputs(x, rows, sides)

    one_by_one = np.vstack([network.outputs(x[i : i + 1], rows[i : i + 1], sides[i : i + 1]) for i in range(40)])
    assert whole.tobytes() == one_by_one.tobytes()


def test_a_missing_model_names_the_ones_there_are(folder: Path) -> None:
    with pytest.raises(ModelError, match=r"nothing\.npz does not exist; models in the store: lstm, ppo"):
        load_model("nothing", "ppo", feature_hash(), folder)


def test_a_model_without_its_manifest_is_refused(folder: Path) -> None:
    (folder / "ppo.json").unlink()
    with pytest.raises(ModelError, match="has no manifest"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_a_manifest_that_lacks_something_is_refused(folder: Path) -> None:
    manifest = json.loads((folder / "ppo.json").read_text())
    del manifest["multiples"]
    (folder / "ppo.json").write_text(json.dumps(manifest))
    with pytest.raises(ModelError, match="lacks multiples"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_another_feature_list_is_refused_with_both_values(folder: Path) -> None:
    change_manifest(folder / "ppo.npz", feature_hash="0123456789abcdef")
    with pytest.raises(ModelError, match=f"0123456789abcdef, this version computes {feature_hash()}"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_other_multiples_are_refused_with_both_values(folder: Path) -> None:
    change_manifest(folder / "ppo.npz", multiples=[1, 1.5, 2, 3, 4, 5])
    with pytest.raises(ModelError, match=r"6\.0\], its manifest says \[1\.0, 1\.5, 2\.0, 3\.0, 4\.0, 5\.0\]"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_another_kind_is_refused(folder: Path) -> None:
    with pytest.raises(ModelError, match="is a model of kind 'lstm', asked for 'ppo'"):
        run_with(exit_of("ppo", folder / "lstm.npz"))


def test_another_format_is_refused(folder: Path) -> None:
    change_manifest(folder / "ppo.npz", format=99)
    with pytest.raises(ModelError, match="model format 99, this version reads 1"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_a_damaged_file_is_refused_with_both_hashes(folder: Path) -> None:
    content = bytearray((folder / "ppo.npz").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "ppo.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"its SHA-256 is .*, its manifest says"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_weights_that_do_not_give_the_stored_outputs_are_refused_with_both(folder: Path) -> None:
    model = load_model("ppo", "ppo", feature_hash(), folder)
    weights = model.arrays["weights"].copy()
    weights[:50] += 0.05
    changed = {**model.arrays, "weights": weights}
    save_model(folder / "ppo.npz", changed, {k: v for k, v in model.manifest.items() if k != "arrays_sha256"})
    with pytest.raises(ModelError, match=r"probe \d gives .*, the model was stored with"):
        run_with(exit_of("ppo", folder / "ppo.npz"))


def test_a_model_that_lacks_its_probes_is_refused(folder: Path) -> None:
    model = load_model("ppo", "ppo", feature_hash(), folder)
    arrays = {name: array for name, array in model.arrays.items() if name != "probe_out"}
    with pytest.raises(ModelError, match="lacks probe_out"):
        check_parity(Model("ppo", model.path, model.manifest, arrays), NETWORK_POLICY)


@pytest.mark.parametrize("kind", ["ppo", "lstm"])
@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda arrays: arrays.pop("multiples"), "lacks multiples"),
        (lambda arrays: arrays.pop("calibration"), "lacks calibration"),
        (lambda arrays: arrays.update(weights=arrays["weights"][:-1]), r"has \d+ weights; layers of .* need \d+"),
        (lambda arrays: arrays["sizes"].__setitem__(0, 400), "none may be wider than 256"),
        (lambda arrays: arrays.update(calibration=arrays["calibration"][:, :-1]), r"'calibration': \(2, 5\)"),
        (lambda arrays: arrays.update(probe_x=arrays["probe_x"][:, :-1]), r"'probe_x': \(8, 13\)"),
    ],
)
def test_arrays_that_are_missing_or_do_not_fit_each_other_are_refused(
    folder: Path, kind: str, change: Any, told: str
) -> None:
    model = load_model(kind, kind, feature_hash(), folder)
    arrays = {name: array.copy() for name, array in model.arrays.items()}
    change(arrays)
    kept = {key: value for key, value in model.manifest.items() if key != "arrays_sha256"}
    save_model(folder / f"{kind}.npz", arrays, kept)

    with pytest.raises(ModelError, match=told):
        run_with(exit_of(kind, folder / f"{kind}.npz"))


def test_a_pickle_in_a_model_is_never_executed(folder: Path) -> None:
    """An array of objects is a pickle; numpy would run it."""
    marker = folder / "executed"

    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (marker,))

    np.savez(folder / "trap.npz", weights=np.array([Trap()], dtype=object))
    content = (folder / "trap.npz").read_bytes()
    from hashlib import sha256

    shutil.copy(folder / "ppo.json", folder / "trap.json")
    change_manifest(folder / "trap.npz", arrays_sha256=sha256(content).hexdigest())
    with pytest.raises(ModelError, match="is not a file of plain arrays"):
        run_with(exit_of("ppo", folder / "trap.npz"))
    assert not marker.exists()


@pytest.mark.rule("S12.3")
def test_a_fallback_is_served_and_said(folder: Path) -> None:
    run = run_with(exit_of("ppo", folder / "nothing.npz", fallback_multiple=2.0))
    fixed = run_with_fixed(2.0)

    assert "serves its fallback_multiple 2 at every entry" in run.engine.notes[0]
    assert run.engine.tables.rows("trades").tobytes() == fixed.engine.tables.rows("trades").tobytes()
    assert run.engine.tables.count("choices") == 0


def run_with_fixed(multiple: float) -> Run:
    from exits.atr import TrailingATRExit

    account = grounds.engine(grounds.market(5, sessions=3))
    exit = TrailingATRExit(TrailingATRExit.Settings(atr_multiple=multiple))
    run = Run(account, CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001), exit), drive="compiled")
    run.complete()
    return run


@pytest.mark.rule("S12.3")
@pytest.mark.parametrize("made", [RLTrailingATRExit, SequenceRLATRExit, HybridExit])
def test_a_class_derived_from_a_learned_exit_trades_as_it_does(made: type[LearnedExit]) -> None:
    """Its Python methods are called, since nobody knows what a derived class changes."""
    derived: Any = type("Derived", (made,), {})
    own = Run(
        grounds.engine(grounds.market(5, sessions=3)),
        CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001, enable_online_learning=False), made(made.Settings())),
    )
    other = Run(
        grounds.engine(grounds.market(5, sessions=3)),
        CoinFlipBot(CoinFlipBot.Settings(risk_pct=0.001, enable_online_learning=False), derived(made.Settings())),
    )
    assert own.complete() == other.complete() == "completed", other.error

    assert own.drive == "compiled"
    assert other.drive == "step"
    assert own.engine.tables.rows("trades").tobytes() == other.engine.tables.rows("trades").tobytes()


def test_the_store_takes_a_name_or_a_path(tmp_path: Path) -> None:
    assert model_path("ppo") == FOLDER / "ppo.npz"
    assert model_path(str(tmp_path / "x.zip")) == tmp_path / "x.npz"
