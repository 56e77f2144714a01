"""The emulator itself: orders, groups, streams of accounts, market files, scenarios, command line."""

import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from data.errors import SourceError
from data.tradestation.bars import Interval, parse_time
from data.tradestation.emulator import (
    BookHabits,
    Emulator,
    FaultKind,
    Scenario,
    SymbolSpec,
    load_scenario,
    scenario_from,
)
from data.tradestation.emulator.__main__ import main
from tests.live.harness import MINUTE, RATE

ACCOUNT = "SIM1234567F"


class Broker:
    """A bare client of the order addresses, and one order stream."""

    def __init__(self, emulator: Emulator) -> None:
        self.base = f"{emulator.url}/v3"
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {emulator.auth.grant()['access_token']}"
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.streams: list[threading.Thread] = []

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.session.request(method, self.base + path, json=body, timeout=10)
        return json.loads(answer.content)

    def listen(self, kind: str) -> None:
        path = f"{self.base}/brokerage/stream/accounts/{ACCOUNT}/{kind}"
        headers = dict(self.session.headers)
        answer = requests.get(path, headers=headers, stream=True, timeout=10)  # type: ignore[arg-type]
        assert answer.headers["Content-Type"] == "application/vnd.tradestation.streams.v3+json"
        thread = threading.Thread(target=self._read, args=(answer, kind), daemon=True)
        thread.start()
        self.streams.append(thread)

    def _read(self, answer: requests.Response, kind: str) -> None:
        with answer:
            for line in answer.iter_lines():
                if line:
                    self.rows[kind].append(json.loads(line))

    def place(self, **changes: Any) -> str:
        body = order_body(**changes)
        return str(self.call("POST", "/orderexecution/orders", body)["Orders"][0]["OrderID"])

    def statuses(self, order_id: str) -> list[str]:
        return [row["Status"] for row in self.rows["orders"] if row.get("OrderID") == order_id]

    def last(self, order_id: str) -> dict[str, Any]:
        return [row for row in self.rows["orders"] if row.get("OrderID") == order_id][-1]

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 10.0
        while not condition():
            assert time.monotonic() < deadline, self.rows
            time.sleep(0.005)


def order_body(**changes: Any) -> dict[str, Any]:
    body = {
        "AccountID": ACCOUNT,
        "Symbol": "ESH24",
        "Quantity": "2",
        "OrderType": "Market",
        "TradeAction": "BUY",
        "TimeInForce": {"Duration": "DAY"},
    }
    return body | changes


@contextmanager
def broker(script: str = "plain", **habits: Any) -> Iterator[Broker]:
    with Emulator(Scenario(rate=RATE, book=BookHabits(script=script, **habits))) as emulator:
        made = Broker(emulator)
        made.listen("orders")
        made.until(lambda: {"StreamStatus": "EndSnapshot"} in made.rows["orders"])
        yield made
        made.session.close()
    for thread in made.streams:
        thread.join(5)


SCRIPTS = {
    "plain": ["ACK", "FLL"],
    "partial": ["ACK", "FPR", "FLL"],
    "fill_twice": ["ACK", "FLL", "FLL"],
    "ack_with_fill": ["ACK", "ACK", "FLL"],
    "reject": ["ACK", "REJ"],
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_market_order_goes_through_the_statuses_of_its_script(script: str) -> None:
    with broker(script) as client:
        order = client.place()
        client.until(lambda: len(client.statuses(order)) == len(SCRIPTS[script]))
        last = client.last(order)

        assert client.statuses(order) == SCRIPTS[script]
        assert last["Legs"][0]["ExecQuantity"] == ("0" if script == "reject" else "2")
        assert "ClosedDateTime" in last
        assert ("RejectReason" in last) == (script == "reject")


def test_a_stop_that_is_hit_shows_a_price_of_zero_then_the_fill_inside_ack() -> None:
    """As recorded on real order streams: STP, ACK that already carries the fill, FLL."""
    with broker("ack_with_fill") as client:
        order = client.place(OrderType="StopMarket", StopPrice="1")
        client.until(lambda: client.statuses(order)[-1:] == ["FLL"])
        rows = [row for row in client.rows["orders"] if row.get("OrderID") == order]

        assert [row["Status"] for row in rows] == ["ACK", "STP", "ACK", "FLL"]
        assert rows[1]["FilledPrice"] == "0"
        assert rows[2]["Legs"][0]["ExecQuantity"] == "2"


@pytest.mark.parametrize(("script", "ends"), [("plain", ["UCN", "OUT"]), ("cancel_race", ["UCN", "LAT", "FLL"])])
def test_a_cancel_is_asynchronous_and_may_lose_the_race(script: str, ends: list[str]) -> None:
    with broker(script) as client:
        order = client.place(OrderType="Limit", LimitPrice="1")
        assert client.call("DELETE", f"/orderexecution/orders/{order}")["Message"] == "Cancel request sent"
        client.until(lambda: client.statuses(order)[-1:] == ends[-1:])

        assert client.statuses(order) == ["ACK", *ends]
        again = client.call("DELETE", f"/orderexecution/orders/{order}")
        assert again["Error"] == "BadRequest"


@pytest.mark.parametrize("new_id", [False, True])
def test_a_replaced_order_lives_on_under_the_id_that_is_answered(new_id: bool) -> None:
    with broker(new_id_on_replace=new_id) as client:
        order = client.place(OrderType="Limit", LimitPrice="1")
        answer = client.call("PUT", f"/orderexecution/orders/{order}", {"LimitPrice": "2", "Quantity": "3"})
        heir = answer["OrderID"]
        client.until(lambda: client.statuses(heir)[-1:] == ["ACK"] and len(client.statuses(order)) >= 2)
        client.until(lambda: client.last(heir).get("LimitPrice") == "2")

        assert (heir != order) == new_id
        assert client.statuses(order)[-1] == ("UCH" if new_id else "ACK")
        assert client.last(heir)["Legs"][0]["QuantityOrdered"] == "3"


def test_a_bracket_waits_for_its_entry_and_one_leg_ends_the_other() -> None:
    legs = [
        order_body(OrderType="Limit", LimitPrice="99999", TradeAction="SELL"),
        order_body(OrderType="StopMarket", StopPrice="99998", TradeAction="SELL"),
    ]
    with broker() as client:
        client.listen("positions")
        entry = client.place(OSOs=[{"Type": "BRK", "Orders": legs}])
        client.until(lambda: any(row.get("Deleted") for row in client.rows["positions"]))
        orders = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders")["Orders"]
        target, stop = ({row["OrderType"]: row for row in orders}[kind] for kind in ("Limit", "StopMarket"))

        client.until(lambda: client.statuses(target["OrderID"])[-1:] == ["OUT"])

        assert client.statuses(target["OrderID"])[:1] == ["OSO"]
        assert (stop["Status"], target["Status"]) == ("FLL", "OUT")
        assert {"Relationship": "OSP", "OrderID": entry} in target["ConditionalOrders"]
        assert {"Relationship": "BRK", "OrderID": stop["OrderID"]} in target["ConditionalOrders"]
        assert client.call("GET", f"/brokerage/accounts/{ACCOUNT}/positions")["Positions"] == []


def test_oco_orders_cancel_each_other() -> None:
    body = {"Type": "OCO", "Orders": [order_body(), order_body(OrderType="Limit", LimitPrice="1")]}
    with broker() as client:
        first, second = (row["OrderID"] for row in client.call("POST", "/orderexecution/ordergroups", body)["Orders"])
        client.until(lambda: client.statuses(second)[-1:] == ["OUT"])

        assert client.statuses(first)[-1] == "FLL"
        group = [row for row in client.rows["orders"] if row.get("OrderID") == second][-1]
        assert group["GroupName"] == f"OCO {first}"


def test_positions_grow_shrink_and_turn() -> None:
    with broker() as client:
        first = client.place(Quantity="3")
        client.until(lambda: client.statuses(first)[-1:] == ["FLL"])
        second = client.place(Quantity="5", TradeAction="SELL")
        client.until(lambda: client.statuses(second)[-1:] == ["FLL"])
        (position,) = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/positions")["Positions"]

        assert (position["LongShort"], position["Quantity"]) == ("Short", "-2")
        fill = next(row for row in client.rows["orders"] if row.get("OrderID") == second and row["Status"] == "FLL")
        assert position["AveragePrice"] == fill["FilledPrice"]


REFUSED_ORDERS = [
    ({"AccountID": "NOBODY"}, "unknown account"),
    ({"Symbol": "@ES"}, "cannot be traded"),
    ({"Quantity": "1.5"}, "not valid"),
    ({"OrderType": "Limit"}, "missing"),
    ({"TimeInForce": {}}, "missing"),
]


@pytest.mark.parametrize(("change", "words"), REFUSED_ORDERS)
def test_an_order_that_is_refused_is_answered_with_200_and_errors(change: dict[str, Any], words: str) -> None:
    with broker() as client:
        answer = client.call("POST", "/orderexecution/orders", order_body(**change))

        assert answer["Orders"] == []
        assert words in answer["Errors"][0]["Message"]
        assert client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders")["Orders"] == []


def test_a_confirm_id_blocks_the_same_order_a_second_time_and_confirming_places_nothing() -> None:
    with broker() as client:
        confirmed = client.call("POST", "/orderexecution/orderconfirm", order_body())
        assert "SummaryMessage" in confirmed["Confirmations"][0]
        assert client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders")["Orders"] == []

        client.place(OrderConfirmID="abc")
        again = client.call("POST", "/orderexecution/orders", order_body(OrderConfirmID="abc"))
        assert "duplicate" in again["Errors"][0]["Message"]


def test_orders_come_in_pages() -> None:
    with broker() as client:
        placed = [client.place(OrderType="Limit", LimitPrice="1") for _ in range(5)]
        first = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders?pageSize=3")
        token = first["NextToken"]
        rest = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders?pageSize=3&nextToken={token}")

        assert [row["OrderID"] for row in first["Orders"] + rest["Orders"]] == placed[::-1]
        assert "NextToken" not in rest


def test_a_stream_opened_later_begins_with_a_snapshot() -> None:
    with broker() as client:
        order = client.place(OrderType="Limit", LimitPrice="1")
        client.rows["orders"].clear()
        client.listen("orders")
        client.until(lambda: {"StreamStatus": "EndSnapshot"} in client.rows["orders"])

        assert client.rows["orders"][0]["OrderID"] == order


def test_orders_can_be_asked_for_by_id_and_a_stream_of_one_tells_of_no_other() -> None:
    with broker() as client:
        one, other = (client.place(OrderType="Limit", LimitPrice="1") for _ in range(2))
        answer = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders/{one},12")
        client.rows["orders"].clear()
        client.listen(f"orders/{one}")
        client.until(lambda: {"StreamStatus": "EndSnapshot"} in client.rows[f"orders/{one}"])
        client.call("DELETE", f"/orderexecution/orders/{one}")
        client.call("DELETE", f"/orderexecution/orders/{other}")
        client.until(lambda: client.rows[f"orders/{one}"][-1].get("Status") == "OUT")

        assert [row["OrderID"] for row in answer["Orders"]] == [one]
        assert [(row["OrderID"], row["Error"]) for row in answer["Errors"]] == [("12", "NotFound")]
        assert {row.get("OrderID", one) for row in client.rows[f"orders/{one}"] if "Heartbeat" not in row} == {one}


@pytest.mark.parametrize("silent", [False, True], ids=["told", "in-silence"])
def test_an_order_for_the_day_expires_with_it(silent: bool) -> None:
    """Told on the stream or not: both have been seen, so who trusts the stream alone is caught out."""
    scenario = Scenario(start="2024-03-06T21:59:00Z", session="cme", rate=RATE, book=BookHabits(silent_expiry=silent))
    with Emulator(scenario) as emulator:
        client = Broker(emulator)
        client.listen("orders")
        day = client.place(OrderType="Limit", LimitPrice="1")
        lasting = client.place(OrderType="Limit", LimitPrice="1", TimeInForce={"Duration": "GTC"})
        emulator.clock.wait(threading.Event(), 90.0)
        orders = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders")["Orders"]
        ended = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/historicalorders?since=2024-03-06")["Orders"]
        emulator.clock.wait(threading.Event(), 10.0)

        assert {row["OrderID"]: row["Status"] for row in orders} == {day: "EXP", lasting: "ACK"}
        assert [row["OrderID"] for row in ended] == [day]
        assert ("EXP" in client.statuses(day)) is not silent
        client.session.close()
    for thread in client.streams:
        thread.join(5)


@pytest.mark.parametrize("since", ["", "?since=2023-01-01", "?since=soon"])
def test_old_orders_need_a_date_of_the_last_90_days(since: str) -> None:
    with broker() as client:
        answer = client.call("GET", f"/brokerage/accounts/{ACCOUNT}/historicalorders{since}")

        assert answer["Error"] == "BadRequest"


def test_a_position_stream_of_changes_tells_what_has_changed() -> None:
    with broker() as client:
        client.listen("positions?changes=true")
        rows = client.rows["positions?changes=true"]
        client.until(lambda: {"StreamStatus": "EndSnapshot"} in rows)
        client.place(Quantity="3")
        client.until(lambda: any("Quantity" in row for row in rows))
        client.place(Quantity="1", TradeAction="SELL")
        client.until(lambda: sum("Quantity" in row for row in rows) == 2)
        client.place(Quantity="2", TradeAction="SELL")
        client.until(lambda: any(row.get("Deleted") for row in rows))
        first, second = (row for row in rows if "Quantity" in row)

        assert first["Symbol"] == "ESH24"
        assert (second["PositionID"], second["Quantity"]) == (first["PositionID"], "2")
        assert "Symbol" not in second


def test_what_else_can_be_asked_about_accounts_and_orders() -> None:
    with broker() as client:
        balances = client.call("GET", f"/brokerage/accounts/{ACCOUNT},NOBODY/bodbalances")
        routes = client.call("GET", "/orderexecution/routes")["Routes"]
        triggers = client.call("GET", "/orderexecution/activationtriggers")["ActivationTriggers"]
        group = {"Type": "OCO", "Orders": [order_body(), order_body(TradeAction="SELL")]}
        confirmed = client.call("POST", "/orderexecution/ordergroupconfirm", group)["Confirmations"]

        assert balances["BODBalances"][0]["BalanceDetail"]["AccountBalance"] == "100000"
        assert balances["Errors"][0]["AccountID"] == "NOBODY"
        assert {"Id", "Name", "AssetTypes"} == set(routes[0])
        assert len(triggers) == 12
        assert [row["SummaryMessage"][:3] for row in confirmed] == ["Buy", "Sel"]
        assert client.call("GET", f"/brokerage/accounts/{ACCOUNT}/orders")["Orders"] == []


# -------------------------------------------------------------------------------------------------- market


def test_the_generated_market_keeps_sessions_holidays_and_summer_time() -> None:
    """18:00 to 17:00 New York: 23:00 UTC before 10 March 2024, 22:00 after; Tuesday 5 March declared a holiday."""
    scenario = Scenario(
        session="cme", holidays=("2024-03-05",), start="2024-03-12T12:00:00Z", history_days=9.0, live_hours=1.0
    )
    with Emulator(scenario) as emulator:
        stamps = {bar.close_ns for bar in emulator.truth("ESH24", MINUTE, 0)}

    def traded(text: str) -> bool:
        return parse_time(text) in stamps

    assert traded("2024-03-04T22:00:00Z")
    assert not traded("2024-03-04T23:01:00Z")
    assert not traded("2024-03-05T15:00:00Z")
    assert traded("2024-03-05T23:01:00Z")
    assert not traded("2024-03-09T15:00:00Z")
    assert traded("2024-03-10T22:01:00Z")
    assert not traded("2024-03-10T22:00:00Z")
    assert not traded("2024-03-11T21:30:00Z")


def test_a_file_of_bars_is_replayed_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "bars.csv"
    lines = ["TimeStamp,Open,High,Low,Close,TotalVolume"]
    lines += [f"2024-03-06T15:{minute:02d}:00Z,10,12,9,{10 + minute % 3},50" for minute in range(1, 30)]
    file.write_text("\n".join(lines), "utf-8")
    spec = SymbolSpec(symbol="X", file=str(file))
    with Emulator(Scenario(symbols=(spec,), start="2024-03-06T15:20:30Z")) as emulator:
        bars = emulator.truth("X", MINUTE, 0)

        assert len(bars) == 20
        assert (bars[4].high, bars[4].low, bars[4].close, bars[4].volume) == (12.0, 9.0, 12.0, 50.0)
        assert len(emulator.truth("X", Interval(5), 0)) == 4


def test_an_open_stamped_parquet_file_is_shifted_by_a_minute(tmp_path: Path) -> None:
    file = tmp_path / "bars.parquet"
    times = pa.array([parse_time("2024-03-06T15:00:00Z"), parse_time("2024-03-06T15:01:00Z")], pa.int64())
    columns = {name: [1.0, 2.0] for name in ("open", "high", "low", "close", "volume")}
    pq.write_table(pa.table({"timestamp": times.cast(pa.timestamp("ns", tz="UTC"))} | columns), file)
    spec = SymbolSpec(symbol="X", file=str(file), file_stamp="open")
    with Emulator(Scenario(symbols=(spec,), start="2024-03-06T16:00:00Z")) as emulator:
        assert [bar.close_ns for bar in emulator.truth("X", MINUTE, 0)] == [
            parse_time("2024-03-06T15:01:00Z"),
            parse_time("2024-03-06T15:02:00Z"),
        ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("TimeStamp,Open\n2024-03-06T15:01:00Z,1\n", "line"), ("TimeStamp,Open,High,Low,Close,TotalVolume\n", "order")],
)
def test_a_file_that_cannot_be_replayed_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "bars.csv"
    file.write_text(text, "utf-8")
    with pytest.raises(SourceError, match=words):
        Emulator(Scenario(symbols=(SymbolSpec(symbol="X", file=str(file)),)))


@pytest.mark.parametrize("content", [b"PAR1 and no more", None], ids=["cut off", "other columns"])
def test_a_parquet_file_that_cannot_be_replayed_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "bars.parquet"
    pq.write_table(pa.table({"close": [1.0]}), file)
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceError, match=r"bars\.parquet: cannot be read as bars"):
        Emulator(Scenario(symbols=(SymbolSpec(symbol="X", file=str(file)),)))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["--rate", "0"], "rate is 0"),
        (["--rate", "-2"], "rate is -2"),
        (["--start", "noon"], "start 'noon' is no time"),
    ],
)
def test_a_time_or_rate_at_which_no_market_can_run_is_said(
    given: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(given) == 2
    assert words in capsys.readouterr().err


def test_the_same_seed_gives_the_same_market() -> None:
    def figures(seed: int) -> list[float]:
        with Emulator(Scenario(seed=seed)) as emulator:
            return [bar.close for bar in emulator.truth("ESH24", MINUTE, 0)][:500]

    assert figures(4) == figures(4)
    assert figures(4) != figures(5)


# ----------------------------------------------------------------------------------------------- scenarios


def test_a_scenario_is_read_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text(
        "rate: 60\nsymbols: [{symbol: '@ES', contracts: [ESH24, ESM24], rolls_at: [600]}]\n"
        "framing: {chunking: split}\nfaults: [{kind: hang, at: 5, seconds: 60}]\n"
        "limits: {bars: {count: 3, seconds: 9}}",
        "utf-8",
    )
    scenario = load_scenario(file)

    assert scenario.rate == 60.0
    assert scenario.symbols[0].rolls_at == (600.0,)
    assert scenario.faults[0].kind is FaultKind.HANG
    assert scenario.limits["bars"].count == 3


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ({"rat": 1}, "unknown key 'rat'"),
        ({"symbols": [{"price": 3}]}, r"symbols\[0\].*'symbol' is missing"),
        ({"faults": [{"kind": "boom"}]}, "'boom' is none of hang"),
        ({"rate": "fast"}, "'fast' should be float"),
        ({"symbols": {}}, "should be a list"),
        ({"framing": 3}, "should be a mapping"),
    ],
)
def test_a_scenario_that_is_wrong_says_where(tree: dict[str, Any], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        scenario_from(tree)


def test_the_command_line_says_how_to_get_in_and_ends(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_text("rate: 100", "utf-8")
    arguments = ["--scenario", str(file), "--seconds", "1", "--symbol", "ESH24", "--fault", "hang@5", "--seed", "3"]
    assert main(arguments, threading.Event()) == 0
    text = capsys.readouterr().out

    assert "http://127.0.0.1:" in text
    assert "emulated-secret" in text
    assert "ESH24" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--fault", "boom@1"], "KIND@SECOND"), (["--scenario", "none.yaml"], "cannot be read")],
)
def test_a_command_line_that_is_wrong_ends_with_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, threading.Event()) == 2
    assert words in capsys.readouterr().err
