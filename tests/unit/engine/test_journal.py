"""The journal's columns, words and figures are those that docs/journal.md tells (DESIGN section 4)."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from engine.environment import TradingEnvironment
from engine.errors import JournalError
from engine.journal import FORMAT, TABLES, Journal, Words, gate_counts, journal_of
from engine.kernel.schema import EventKind, Gate, Reject
from engine.orders import OrderRequest, Side
from engine.run import Run
from engine.views import RunEvent
from tests.unit.engine import small_runs
from tests.unit.engine.small_runs import ActingBot, completed

ROW = re.compile(r"^\| (.+) \|$")


def sections(document: str) -> dict[str, list[list[str]]]:
    """Heading -> rows of its first table, header and rule left out, as cells."""
    found: dict[str, list[list[str]]] = {}
    for part in document.split("\n## ")[1:]:
        heading, _, body = part.partition("\n")
        rows = [match[1].split(" | ") for line in body.splitlines() if (match := ROW.match(line))]
        found[heading.strip()] = [[cell.strip() for cell in row] for row in rows[1:]]
    return found


@pytest.fixture(scope="module")
def document(repo_root: Path) -> dict[str, list[list[str]]]:
    return sections((repo_root / "docs" / "journal.md").read_text(encoding="utf-8"))


def trade_a_little(env: TradingEnvironment) -> None:
    """Orders that fill, rest, are moved, cancelled and rejected for every reason that has figures."""
    bar = env.bar_index
    if bar == 2:
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=2, stop_loss=90.1, take_profit=130))
        env.modify_stop_loss("ES", 91.0)
        env.modify_take_profit("ES", None)
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=1, stop_loss=200.0))
        env.place_order(OrderRequest(symbol="ES", side=Side.SELL, quantity=1, take_profit=200.0))
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=500))
        env.place_order(OrderRequest(symbol="NO", side=Side.BUY, quantity=1))
        env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=0.3))
    if bar == 5:
        env.close_position("ES")
        env.close_position("ES")


@pytest.fixture(scope="module")
def run() -> Run:
    return completed(small_runs.engine(), ActingBot(trade_a_little))


@pytest.fixture(scope="module")
def journal(run: Run) -> Journal:
    return journal_of(run.engine, run.next_bar)


def dtype_word(column: object) -> str:
    """The word of the document for a column's type."""
    if isinstance(column, Words):
        return f"word ({column.codes.dtype})"
    assert isinstance(column, np.ndarray)
    return str(column.dtype)


@pytest.mark.parametrize("table", TABLES)
def test_the_document_tells_every_column_with_its_type_and_unit(
    table: str, document: dict[str, list[list[str]]], journal: Journal
) -> None:
    told = [(name.strip("`"), dtype) for name, dtype, *_ in document[table]]

    assert told == [(name, dtype_word(column)) for name, column in journal.tables[table].items()]
    assert all(len(row) == 4 and row[3].endswith(".") for row in document[table])
    assert all((row[2] == "-") == row[1].startswith(("word", "bool")) for row in document[table])


def test_the_document_tells_every_kind_of_event_in_order(document: dict[str, list[list[str]]]) -> None:
    rows = document["Kinds of events"]
    assert [row[0].strip("`") for row in rows] == [kind.name.lower() for kind in EventKind]
    assert all(len(row) == 5 and all(row) for row in rows)


def test_the_document_tells_every_word_in_the_order_of_its_code(
    document: dict[str, list[list[str]]], journal: Journal
) -> None:
    told = {place.replace("`", ""): words.split(", ") for place, words in document["Words"]}
    assert told.pop("verdict of gate") == [gate.name.lower() for gate in Gate]
    for place, words in told.items():
        column, _, tables = place.partition(" of ")
        for table in tables.split(" and ") if tables else TABLES:
            found = journal.tables[table].get(column)
            assert not tables or found is not None, place
            assert found is None or (isinstance(found, Words) and list(found.names) == words), (table, column)


def test_every_column_of_words_stands_under_words(document: dict[str, list[list[str]]], journal: Journal) -> None:
    told = {place.replace("`", "").partition(" of ")[0] for place, _ in document["Words"]}
    columns = {name for table in journal.tables.values() for name, column in table.items() if isinstance(column, Words)}
    by_run = {"symbol", "reason", "kind", "placed_phase", "ended_phase", "entry_phase", "exit_phase"}
    assert columns - by_run <= told


def test_the_document_tells_the_number_of_the_format(repo_root: Path) -> None:
    text = (repo_root / "docs" / "journal.md").read_text(encoding="utf-8")
    assert f"the number of this format ({FORMAT})" in text


# Figures, worked by hand: O of bar 2 is 101, a tick is 0.25, fills slip a tick.


def events(journal: Journal, kind: EventKind) -> pd.DataFrame:
    frame = journal.frame("events")
    return frame[frame["kind"] == kind.name.lower()].reset_index(drop=True)


@pytest.mark.rule("S8.2")
def test_figures_of_rejections_are_prices_money_and_quantities(journal: Journal) -> None:
    rejected = events(journal, EventKind.ORDER_REJECTED)
    reject = journal.frame("orders").set_index("id")["reject"]

    found = {reject[row.reference]: (row.a, row.b, row.c) for row in rejected.itertuples()}

    assert found["stop_loss_side"][:2] == (200.0, 101.0)
    assert found["take_profit_side"][:2] == (200.0, 101.0)
    needed, available, affordable = found["margin"]
    assert needed == 500_000.0
    assert available == pytest.approx(100_000 - 2 * 12.5 - 2.5 - 2 * 1000 - 500.5)
    assert affordable == 97.0
    assert np.isnan(found["unknown_symbol"]).all()
    assert np.isnan(found["quantity"]).all()


def test_signals_carry_the_figures_of_the_journal(journal: Journal) -> None:
    account = small_runs.engine()
    heard: list[RunEvent] = []
    for signal in (account.order_rejected, account.order_accepted, account.stop_moved, account.order_filled):
        signal.connect(heard.append)

    completed(account, ActingBot(trade_a_little))

    frame = journal.frame("events")
    kinds = ["order_rejected", "order_accepted", "stop_moved", "fill"]
    expected = frame[frame["kind"].isin(kinds)]
    assert [each.kind.name.lower() for each in heard] == list(expected["kind"])
    np.testing.assert_array_equal([(each.a, each.b, each.c) for each in heard], expected[["a", "b", "c"]])
    assert [each.reference for each in heard] == list(expected["reference"])


def test_moved_levels_tell_new_and_old_price(journal: Journal) -> None:
    moved = events(journal, EventKind.STOP_MOVED)
    assert list(moved["a"][:2]) == [90.0, 91.0]
    assert np.isnan(moved["b"][0])
    assert moved["b"][1] == 90.0
    assert np.isnan(events(journal, EventKind.TARGET_MOVED)["a"][1])


def test_a_fill_tells_price_base_and_costs(journal: Journal) -> None:
    first = journal.frame("fills").iloc[0]
    assert (first["price"], first["base_price"], first["quantity"]) == (101.25, 101.0, 2.0)
    assert (first["commission"], first["fee"], first["slippage_cost"]) == (2.0, 0.5, 25.0)
    assert (first["position"], first["average"], first["side"], first["reason"]) == (2.0, 101.25, "buy", "market")
    assert np.isnan(journal.frame("fills").iloc[1]["average"])


def test_what_was_rejected_has_its_reason_in_words_and_no_symbol_where_there_is_none(journal: Journal) -> None:
    orders = journal.frame("orders").set_index("reject")
    assert "largest affordable quantity is 97" in orders.loc["margin", "reason"]
    assert pd.isna(orders.loc["unknown_symbol", "symbol"])
    assert orders.loc["flat", "side"] == "none"
    assert pd.isna(orders.loc["none", "reason"]).all()


@pytest.mark.rule("S7.2")
def test_a_margin_call_and_a_bankruptcy_concern_no_symbol() -> None:
    falling = [(100.0, 101.0, 99.0, 100.0)] * 3 + [(100.0, 100.0, 20.0, 20.0)] * 3

    def buy(env: TradingEnvironment) -> None:
        if env.bar_index == 1:
            env.place_order(OrderRequest(symbol="ES", side=Side.BUY, quantity=2))

    run = completed(small_runs.engine({"ES": falling}, cash=5000.0), ActingBot(buy))
    journal = journal_of(run.engine, run.next_bar)

    frame = journal.frame("events")
    told = frame[frame["kind"].isin(["margin_call", "bankrupt"])]
    call = journal.frame("margin_calls").iloc[0]
    assert list(told["kind"]) == ["margin_call", "bankrupt"]
    assert told["symbol"].isna().all()
    assert (told["a"].iloc[0], told["b"].iloc[0]) == (call["worst_equity"], call["required"])
    assert run.status == "bankrupt"


def test_a_run_without_bars_or_trades_has_empty_tables_of_the_same_columns(journal: Journal) -> None:
    empty = journal_of(small_runs.engine(), 0)
    for name in TABLES:
        assert list(empty.tables[name]) == list(journal.tables[name])
        assert [dtype_word(c) for c in empty.tables[name].values()] == [
            dtype_word(c) for c in journal.tables[name].values()
        ]
        assert len(empty.frame(name)) == 0


@pytest.mark.rule("S11.2")
def test_gates_are_counted_by_name_and_those_that_never_decided_are_left_out() -> None:
    from bots.coin_flip import CoinFlipBot

    account = small_runs.engine({"ES": small_runs.flat_rows(40), "NQ": [None, *small_runs.flat_rows(39)]})
    completed(account, CoinFlipBot())

    counts = gate_counts(account)

    assert {symbol: sum(gates.values()) for symbol, gates in counts.items()} == {"ES": 40, "NQ": 40}
    assert counts["NQ"]["synthetic"] == 1
    assert counts["ES"]["atr"] == 15
    assert "daily_loss" not in counts["ES"]
    assert counts["ES"]["entered"] >= 1


@pytest.mark.parametrize("damage", ["missing", "cut", "format"])
def test_a_damaged_journal_says_which_file_and_what_to_do(journal: Journal, tmp_path: Path, damage: str) -> None:
    journal.write(tmp_path)
    file = tmp_path / "trades.parquet"
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:50])
    else:
        journal.frame("trades").to_parquet(file)

    with pytest.raises(JournalError, match=r"trades\.parquet .* run the backtest again"):
        Journal.read(tmp_path)


def test_words_give_none_for_nothing() -> None:
    assert list(Words(np.array([1, -1, 0], np.int8), ("a", "b")).array()) == ["b", None, "a"]
    assert Reject.NONE.name.lower() == "none"
