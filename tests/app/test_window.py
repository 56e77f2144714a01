"""The whole window, offscreen: from the start page to a playing replay, branching, closing; nothing is left."""

import multiprocessing
import threading
from pathlib import Path
from typing import Any

import pytest
from PyQt6.QtCore import Qt, QTimer
from PyQt6.QtTest import QAbstractItemModelTester, QTest
from PyQt6.QtWidgets import QApplication, QLabel, QMenu

from app.actions import ACTIONS, sheet
from app.charts.cursor import Cursor
from app.charts.levels import LevelKind, MoveLevel
from app.dialogs.indicators import IndicatorDialog
from app.dialogs.run import RunDialog
from app.dialogs.settings import SettingsDialog
from app.dialogs.small import ShortcutSheet, TextDialog
from app.engine_link.messages import Broken
from app.main_window import MainWindow
from app.opening import hand_session, new_session, saved_session
from app.panels.parts import DASH
from app.panels.statistics import StatisticsPanel
from app.session import RunSession
from app.tables.columns import choices_table, fills_table, log_table, orders_table, trades_table
from app.tables.model import CursorTable
from app.theme import DARK
from app.workspace import Workspace
from bots.catalog import make_bot
from engine.backtest import run_backtest
from engine.kernel.schema import OrderType, Phase
from engine.statistics import Statistics, describe_figures, format_figure
from tests.app.runs import CONFIGS, config_of, finished, model_of, until
from tests.app.staging import go, opened, pump


def test_three_clicks_lead_from_the_start_page_to_a_playing_replay(window: MainWindow, qtbot: Any) -> None:
    """Sample, play; the third click is to spare."""
    assert window.stack.currentIndex() == 0
    qtbot.mouseClick(window.start_page.buttons["sample"], Qt.MouseButton.LeftButton)
    until(lambda: window.session is not None and window.session.model.standing, pump(window))
    qtbot.mouseClick(window.controls.play, Qt.MouseButton.LeftButton)
    assert window.session is not None
    before = window.session.model.cursor
    until(
        lambda: window.session is not None and window.session.model.cursor.bar > max(before.bar, 120) + 3, pump(window)
    )
    assert window.session.playback.playing


def test_every_panel_follows_the_cursor_forward_and_back(window: MainWindow) -> None:
    session = opened(window)
    seen = {}
    for bar in (400, 900, 1300, 900, 400):
        go(window, bar)
        shown = (
            window.account.account.figure("Equity"),
            window.account.position.figure("Side, quantity"),
            window.controls.count.text(),
            window.activity.page_of("trades").table.rowCount(),
            window.equity.told.text(),
        )
        assert seen.setdefault(bar, shown) == shown
        assert shown[3] == session.model.store.trades.count(session.model.cursor)
    assert len(set(seen.values())) == 3


def test_an_order_by_hand_branches_and_ctrl_z_takes_it_back(window: MainWindow) -> None:
    """S16: the branch is shown where the cursor stood, the parent stays."""
    session = opened(window)
    go(window, 700, Phase.OPEN)
    window.handling.slot("buy")()
    until(lambda: not session.branching, pump(window))
    assert session.model.course == 1
    assert session.model.cursor == Cursor(700, Phase.OPEN)
    assert session.model.position(0) is not None
    until(lambda: not session.running, pump(window))
    pump(window)()
    pane = window.equity.chart.pane("equity") if window.equity.chart is not None else None
    assert pane is not None
    assert [layer.line.name for layer in pane.layers if hasattr(layer, "line")] == ["Equity", "Parent"]
    window.handling.slot("undo")()
    assert list(session.courses) == [0]
    assert session.model.course == 0


def test_changed_settings_branch_from_the_cursor_and_replay_headless(window: MainWindow, qtbot: Any) -> None:
    session = opened(window)
    go(window, 600)
    dialog = SettingsDialog(session.config, session.settings_changes())
    qtbot.addWidget(dialog)
    dialog.form.fields["atr_multiple"].put("-2")
    dialog.accept()
    assert "is not > 0" in dialog.form.fields["atr_multiple"].error.text()
    dialog.form.fields["atr_multiple"].put(6)
    dialog.accept()
    window.handling.act(dialog.records()[0])
    until(lambda: not session.branching and not session.running, pump(window))
    assert session.course.interventions[0]["values"] == {"atr_multiple": 6.0}
    run, _ = finished(session.config, *session.course.interventions)
    assert run.engine.tables.equity.tobytes() == session.course.store.equity.rows.tobytes()
    again = SettingsDialog(session.config, session.settings_changes())
    qtbot.addWidget(again)
    assert again.form.fields["atr_multiple"].value() == 6.0


def test_settings_of_bot_and_exit_are_changed_together(window: MainWindow, qtbot: Any) -> None:
    """What was written for one of them is there again when its page is, and both make one branch."""
    session = opened(window)
    go(window, 600)
    dialog = SettingsDialog(session.config, session.settings_changes())
    qtbot.addWidget(dialog)
    dialog.form.fields["atr_multiple"].put(-6)
    dialog.part.setCurrentText("Bot")
    dialog.form.fields["risk_pct"].put(0.002)
    dialog.accept()
    assert dialog.part.currentText() == "Exit"
    assert "is not > 0" in dialog.form.fields["atr_multiple"].error.text()
    dialog.form.fields["atr_multiple"].put(6)
    dialog.accept()

    window.handling.act(*dialog.records())
    until(lambda: not session.branching and not session.running, pump(window))

    told = [(each["part"], each["values"]) for each in session.course.interventions]
    assert told == [("bot", {"risk_pct": 0.002}), ("exit", {"atr_multiple": 6.0})]
    assert list(session.courses) == [0, 1]
    run, _ = finished(session.config, *session.course.interventions)
    assert run.engine.tables.equity.tobytes() == session.course.store.equity.rows.tobytes()


def test_a_dragged_stop_moves_in_a_branch(window: MainWindow) -> None:
    session = opened(window)
    bar = next(b for b in range(300, 1200) if _held(session, b))
    position = session.model.positions[0]
    assert position.stop is not None
    price = position.stop - position.side * session.facts.forms[position.column].tick
    wish = MoveLevel(
        symbol=position.symbol, key="stop", kind=LevelKind.STOP, old_price=position.stop, price=price,
        cursor=session.model.cursor,
    )  # fmt: skip
    window.charts.intent.emit(wish)
    until(lambda: not session.branching, pump(window))
    assert session.course.interventions[-1]["sl"] == price
    assert session.model.cursor.bar == bar
    moved = session.model.position(position.column)
    assert moved is not None
    assert moved.stop == price


def _held(session: RunSession, bar: int) -> bool:
    session.model.cursor_model.go(bar, Phase.CLOSE)
    return bool(session.model.positions)


def test_the_ticket_says_the_refusal_before_anything_is_sent(window: MainWindow) -> None:
    session = opened(window)
    go(window, 700)
    ticket = window.ticket
    ticket.quantity.setValue(100_000)
    pump(window)()
    assert "initial margin" in ticket.told.text()
    assert "largest affordable quantity is" in ticket.told.text()
    assert not ticket.buy.isEnabled()
    ticket.send(1)
    assert not session.branching
    ticket.quantity.setValue(1)
    ticket.loss_unit.setCurrentText("ticks")
    ticket.loss.setValue(8)
    ticket.profit_unit.setCurrentText("ticks")
    ticket.profit.setValue(16)
    pump(window)()
    assert "Reward 2.00 R" in ticket.told.text()
    assert ticket.buy.isEnabled()
    assert ticket.ticket(1).type is OrderType.MARKET


def test_the_inspector_tells_why_and_how(window: MainWindow) -> None:
    session = opened(window)
    window.docks["Why"].raise_()
    fill = session.model.store.fills.rows[4]
    go(window, int(fill["bar"]))
    window.inspector.set_column(int(fill["symbol"]))
    window.inspector.explain_fill(4)
    until(lambda: "base price" in _tree(window), pump(window))
    assert "gate" in _tree(window)


def _tree(window: MainWindow) -> str:
    tree, words = window.inspector.tree, []
    for row in range(tree.topLevelItemCount()):
        head = tree.topLevelItem(row)
        if head is not None:
            words += [head.text(0), *(child.text(0) for i in range(head.childCount()) if (child := head.child(i)))]
    return "\n".join(words)


def test_statistics_tell_the_same_as_the_report_at_the_end(window: MainWindow) -> None:
    session = opened(window)
    window.docks["Statistics"].show()
    go(window, session.facts.bars - 1)
    panel: StatisticsPanel = window.statistics
    pump(window)()
    table = panel.figures
    told = {head.text(): cell.text() for row in range(table.rowCount())
            if (head := table.item(row, 0)) is not None and (cell := table.item(row, 1)) is not None}  # fmt: skip
    assert told["Trades"] == f"{len(session.model.store.trades):,}"
    result = run_backtest(session.config, make_bot(session.config.bot, session.config.exit))
    for name, text, unit, _ in describe_figures(Statistics):
        figure = getattr(result.statistics, name)
        assert told[text] == (DASH if figure is None else format_figure(figure, unit)), name
    for page in range(4):
        panel.tabs.setCurrentIndex(page)
        pump(window)()
        assert not panel.grab().isNull()


@pytest.mark.parametrize("kind", [trades_table, fills_table, orders_table, log_table, choices_table])
def test_table_models_keep_qts_rules_with_the_cursor_going_both_ways(look: QApplication, kind: Any) -> None:
    model = model_of(config_of("sample", "end=2024-09-03"))
    table = CursorTable(kind(str), model, DARK)
    QAbstractItemModelTester(table, QAbstractItemModelTester.FailureReportingMode.Fatal)
    for arranged in (False, True):
        if arranged:
            table.sort(1, Qt.SortOrder.DescendingOrder)
            table.set_filter("es_syn")
        for bar in (0, 300, 900, 1200, 500, 20, 1300, 0):
            model.cursor_model.go(bar, Phase.INTRABAR)
            table.refresh()
            known = table.kind.count(model)
            assert table.rowCount() <= known if arranged else table.rowCount() == known
            for row in range(0, table.rowCount(), 50):
                assert table.place(row) <= model.cursor
                assert all(
                    isinstance(table.data(table.index(row, column)), str) for column in range(table.columnCount())
                )


def test_a_filter_keeps_rows_that_have_every_word(look: QApplication) -> None:
    model = model_of(config_of("sample", "end=2024-09-03"))
    table = CursorTable(trades_table(str), model, DARK)
    table.refresh()
    table.set_filter("nq long")
    assert table.rowCount() > 0
    assert {table.data(table.index(row, 1)) for row in range(table.rowCount())} == {"NQ_SYN"}
    assert {table.data(table.index(row, 2)) for row in range(table.rowCount())} == {"L long"}


@pytest.mark.rule("S6.9")
def test_a_filter_finds_the_trades_whose_path_a_bar_does_not_tell(look: QApplication) -> None:
    model = model_of(config_of("coin_flip", "end=2024-09-03", "exit.atr_multiple=0.5"))
    table = CursorTable(trades_table(str), model, DARK)
    table.refresh()
    table.set_filter("ambiguous")
    known = int(model.store.trades.rows["ambiguous"].sum())
    assert table.rowCount() == known > 0
    path = [column.title for column in table.kind.columns].index("Path")
    assert {table.data(table.index(row, path)) for row in range(known)} == {"?"}


def test_a_bot_that_raises_shows_its_traceback_and_the_window_lives_on(window: MainWindow, tmp_path: Path) -> None:
    bot = tmp_path / "bad_bot.py"
    bot.write_text(
        "from bots.base import BaseStrategyBot\n\nclass Bad(BaseStrategyBot):\n"
        "    def decide_side(self, env, symbol):\n"
        "        if env.bar(symbol).index > 40:\n            raise RuntimeError('no more ideas')\n        return None\n"
    )
    config = config_of("coin_flip").with_part("bot", {"name": "Bad", "module": str(bot)}, "bot=Bad")
    window.load("bad", lambda: new_session(config, False))
    until(lambda: bool(window.dialogs), pump(window))
    assert window.session is not None
    assert window.session.course.status == "failed"
    dialog = window.dialogs[0]
    assert isinstance(dialog, TextDialog)
    assert "Bad raised" in "".join(child.text() for child in dialog.findChildren(QLabel))
    assert "Traceback" in dialog.text.toPlainText()
    go(window, 10)
    assert window.session.model.cursor.bar == 10


def test_an_engine_that_dies_is_said_and_the_window_lives_on(window: MainWindow, tmp_path: Path) -> None:
    bot = tmp_path / "deadly_bot.py"
    bot.write_text(
        "import os\nfrom bots.base import BaseStrategyBot\n\nclass Deadly(BaseStrategyBot):\n"
        "    def decide_side(self, env, symbol):\n        if env.bar(symbol).index > 700:\n            os._exit(3)\n"
        "        return None\n"
    )
    config = config_of("coin_flip").with_part("bot", {"name": "Deadly", "module": str(bot)}, "bot=Deadly")
    window.load("deadly", lambda: new_session(config, True))
    until(lambda: window.session is not None and window.session.course.status == "failed", pump(window), 6000)
    pump(window)()
    assert "ended by itself, exit code 3" in window.notes.text.toPlainText()
    session = window.session
    assert session is not None
    assert session.model.store.bars > 0
    go(window, 5)
    assert window.controls.count.text().startswith("5 /")
    assert not multiprocessing.active_children()


def test_a_question_to_an_engine_that_is_gone_is_answered_with_why(
    window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = opened(window)
    link = session.link
    assert link is not None
    monkeypatch.setattr(link, "send", lambda command: None)
    told: list[str] = []
    session.ask_decision(session.facts.symbols[0], 300, lambda found, error: told.append(error))
    assert session.asking
    monkeypatch.setattr(link, "messages", lambda most: iter([Broken(text="the engine is gone")]))
    session.pump()
    assert told == ["the engine is gone"]
    assert not session.asking


def test_a_chart_per_symbol_is_put_into_the_grid_and_taken_away(window: MainWindow, tmp_path: Path) -> None:
    session = opened(window)
    for column in (2, 3):
        window.handling.views.show_chart(column, True)
    assert [chart.symbol for chart in window.charts.charts] == list(session.facts.symbols)
    for column in range(4):
        window.handling.views.show_chart(column, False)
    assert [chart.symbol for chart in window.charts.charts] == ["GC_SYN"]
    go(window, 500)
    window.handling.files.export_png(tmp_path / "equity.png", -1)
    assert (tmp_path / "equity.png").exists()


def test_a_run_that_cannot_be_opened_is_said_on_the_start_page(window: MainWindow, tmp_path: Path) -> None:
    window.handling.files.open_folder(tmp_path)
    until(lambda: window.loading is None, pump(window))
    assert "it has no manifest.json" in window.start_page.told.text()
    assert window.stack.currentIndex() == 0


def test_the_run_dialog_makes_its_form_from_typed_settings_and_shows_errors_at_the_field(
    look: QApplication, qtbot: Any
) -> None:
    dialog = RunDialog(CONFIGS / "sample.yaml")
    qtbot.addWidget(dialog)
    assert dialog.check() is not None
    dialog.bot.setCurrentText("TrendFollowing")
    dialog.bot_form.fields["ema_span"].put(0)
    dialog.exit_form.fields["atr_multiple"].put("wide")
    assert dialog.check() is None
    assert "is not >= 2" in dialog.bot_form.fields["ema_span"].error.text()
    assert '"wide" is not a number' in dialog.exit_form.fields["atr_multiple"].error.text()
    dialog.bot_form.fields["ema_span"].put(21)
    dialog.exit_form.fields["atr_multiple"].put(2.5)
    config = dialog.check()
    assert config is not None
    assert config.bot.settings["ema_span"] == 21
    assert config.symbols == ("ES_SYN", "NQ_SYN", "CL_SYN", "GC_SYN")


def test_a_data_file_becomes_a_run_once_its_contract_is_known(look: QApplication, qtbot: Any) -> None:
    dialog = RunDialog.for_data(CONFIGS.parent / "data" / "sample" / "ES_SYN.parquet")
    qtbot.addWidget(dialog)
    config = dialog.check()
    assert config is not None
    assert config.symbols == ("ES",)


def test_indicators_are_chosen_with_their_parameters(window: MainWindow, qtbot: Any) -> None:
    opened(window)
    dialog = IndicatorDialog(window.charts.chosen)
    qtbot.addWidget(dialog)
    for name in ("rsi", "bollinger"):
        dialog.choose(name)
        dialog.add.click()
    window.charts.set_indicators(dialog.chosen())
    chart = window.charts.charts[0]
    assert [pane.name for pane in chart.panes] == ["price", "RSI 14"]
    names = [layer.line.name for layer in chart.price.layers if hasattr(layer, "line")]
    assert names == ["EMA 50", "BOLLINGER 20 2 upper", "BOLLINGER 20 2 middle", "BOLLINGER 20 2 lower"]
    pump(window)()


def test_layouts_are_kept_by_name_and_a_damaged_one_is_forgotten(window: MainWindow) -> None:
    opened(window)
    state = window.arrangement.text()
    window.workspace.layouts = {"mine": state, "broken": "AAAA"}
    window.handling.views.use_layout("mine", state)
    window.handling.views.use_layout("broken", "AAAA")
    assert list(window.workspace.layouts) == ["mine"]


def test_themes_zones_and_timeframes_are_changed_while_a_run_is_open(window: MainWindow) -> None:
    opened(window)
    go(window, 600)
    for theme in ("light", "high contrast", "colour-blind", "dark"):
        window.set_theme(theme)
        pump(window)()
    for zone in ("utc", "local", "exchange"):
        window.workspace.zone = zone
        window.dress()
    for frame in ("5m", "1h", None):
        window.chart_bar.timeframe_chosen.emit(frame)
        pump(window)()
        assert window.charts.charts[0].view.timeframe is None or frame


def test_every_action_has_a_shortcut_and_stands_in_the_help_sheet(window: MainWindow, qtbot: Any) -> None:
    listed = {text for _, actions in sheet() for text, _ in actions}
    assert {kind.text for kind in ACTIONS} == listed
    keys = [kind.shortcut for kind in ACTIONS]
    assert all(keys)
    assert len(set(keys)) == len(keys)
    told = ShortcutSheet()
    qtbot.addWidget(told)
    assert listed <= {child.text() for child in told.findChildren(QLabel)}


def test_every_control_has_a_name_for_a_screen_reader(window: MainWindow) -> None:
    opened(window)
    nameless = [button for button in window.controls.buttons() if not button.accessibleName()]
    assert not nameless
    for panel in (window.ticket, window.chart_bar):
        fields = [w for w in panel.findChildren(object) if type(w).__name__ in ("QComboBox", "QDoubleSpinBox")]
        assert fields
        assert all(field.accessibleName() for field in fields)


def test_tables_pictures_and_reports_are_exported(window: MainWindow, tmp_path: Path) -> None:
    session = opened(window)
    go(window, 800)
    known = session.model.store.trades.count(session.model.cursor)
    window.handling.files.export_all(session, tmp_path / "csv", "csv")
    window.handling.files.export_all(session, tmp_path / "parquet", "parquet")
    window.handling.files.export_png(tmp_path / "chart.png")
    lines = (tmp_path / "csv" / "trades.csv").read_text(encoding="utf-8").splitlines()
    assert len(lines) == known + 1
    assert "exit_reason" in lines[0]
    import pyarrow.parquet as pq

    assert pq.read_table(tmp_path / "parquet" / "equity.parquet").num_rows == 801
    assert (tmp_path / "chart.png").read_bytes()[:4] == b"\x89PNG"
    session.report(tmp_path / "report")
    until(lambda: (tmp_path / "report" / "equity.png").exists(), pump(window))


def test_closing_saves_what_is_finished_and_ends_every_thread_and_child(window: MainWindow, tmp_path: Path) -> None:
    session = opened(window)
    until(lambda: session.courses[0].folder is not None, pump(window))
    go(window, 700, Phase.OPEN)
    window.handling.slot("sell")()
    until(lambda: not session.branching and not session.running, pump(window))
    window.close()
    assert len(list((tmp_path / "runs").iterdir())) == 2
    assert window.workspace.recent[0] == str(session.courses[0].folder.resolve())  # type: ignore[union-attr]
    assert not multiprocessing.active_children()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("engine")]
    assert Workspace.load(tmp_path / "window.json").recent == window.workspace.recent


def test_the_menu_of_a_chart_offers_levels_and_orders_at_the_price(window: MainWindow) -> None:
    """A right click: what is chosen is done at the cursor, and branches."""
    session = opened(window)
    bar = next(b for b in range(300, 1200) if _held(session, b) and session.model.positions[0].column == 0)
    go(window, bar)
    offered: list[str] = []

    def choose() -> None:
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        offered.extend(action.text() for action in menu.actions())
        menu.setActiveAction(menu.actions()[1])
        QTest.keyClick(menu, Qt.Key.Key_Return)

    QTimer.singleShot(50, choose)
    position = session.model.positions[0]
    price = position.mark + 20 * position.side
    window.charts.menu_asked.emit((0, bar, price, window.mapToGlobal(window.rect().center())))
    assert [text.split(" at ")[0] for text in offered[:3]] == ["Stop loss", "Take profit", "Close the position"]
    assert offered[-1] == "Go to this bar"
    until(lambda: not session.branching, pump(window))
    assert session.course.interventions[-1]["type"] == "modify_target"
    assert session.course.interventions[-1]["tp"] == price


def test_a_replay_by_hand_is_saved_and_opened_again_as_one(window: MainWindow, tmp_path: Path) -> None:
    """S16: no bot decides; what was done by hand is all there is, and replays headless."""
    config = config_of("sample", "end=2024-09-03")
    window.load("by hand", lambda: hand_session(config, False))
    until(lambda: window.session is not None and window.session.courses[0].folder is not None, pump(window))
    session = window.session
    assert session is not None
    assert session.by_hand
    assert len(session.model.store.orders) == 0
    go(window, 300, Phase.OPEN)
    window.handling.slot("buy")()
    until(lambda: not session.branching and not session.running, pump(window))
    go(window, 400, Phase.OPEN)
    window.handling.slot("flatten")()
    until(lambda: not session.branching and not session.running, pump(window))
    assert [int(bar) for bar in session.model.store.fills.rows["bar"]] == [300, 400]
    run, _ = finished(session.config, *session.course.interventions)
    assert run.engine.tables.equity.tobytes() == session.course.store.equity.rows.tobytes()
    session.save(tmp_path / "hand", report=False)
    until(lambda: (tmp_path / "hand").exists(), pump(window))
    again = saved_session(tmp_path / "hand")
    assert again.by_hand
    assert len(again.model.store.fills) == 2
