"""What a chart's heading tells of its lines where there is little room: every value, names no longer than needed."""

import pytest
from PyQt6.QtWidgets import QApplication

from app.charts.canvas import Canvas
from app.charts.legend import told_names
from app.main_window import MainWindow

BANDS = {"name": "bollinger", "parameters": {"period": 20}}


def test_a_name_that_lines_share_is_told_once() -> None:
    names = ["EMA 50", "BOLLINGER 20 2 upper", "BOLLINGER 20 2 middle", "BOLLINGER 9 2 middle", "BOLLINGER 9 2 lower"]
    assert told_names(names) == [names[0], names[1], "middle", names[3], "lower"]


@pytest.mark.parametrize("names", [["EMA 20", "EMA 50"], ["Equity", "Parent"], []])
def test_lines_of_different_indicators_keep_their_names(names: list[str]) -> None:
    assert told_names(names) == names


def test_a_narrow_chart_tells_all_three_lines_of_a_band(on_a_day: MainWindow, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_day.charts.set_indicators([BANDS])
    chart = on_a_day.charts.charts[0]
    chart.setFixedSize(560, 420)
    QApplication.processEvents()
    told: list[str] = []
    drawn = Canvas.text

    def text(canvas: Canvas, words: str, *rest: object) -> None:
        told.append(words)
        drawn(canvas, words, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Canvas, "text", text)
    chart.grab()
    window = chart.picture().window
    values = [
        chart.pane("price").form.text(line.value_at(window.bar_shown, window.view, window.cursor))
        for line, _ in chart.pane("price").lines()
    ]
    assert len(values) == 3
    heading = told[told.index("middle") - 1 :]
    assert [heading[0], heading[2], heading[4]] == values
    assert (heading[1], heading[3]) == ("middle", "lower")
