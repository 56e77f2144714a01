"""What a learned exit chose, over time: how often each multiple was served, what each was worth to it, and the last."""

from dataclasses import dataclass

import numpy as np
from PyQt6.QtGui import QFont
from PyQt6.QtWidgets import QComboBox, QVBoxLayout

from app.charts.canvas import CENTRE, LEFT, RIGHT, Canvas
from app.charts.columns import IntArray
from app.charts.prices import number
from app.charts.ticks import LocalTime
from app.panels.pacing import Pacing
from app.panels.painted import Painted
from app.panels.panel import Panel
from app.panels.parts import label, row_of
from app.replay.rows import Records
from app.session import RunSession
from app.theme.fonts import numbers, words
from app.theme.tokens import Theme, blend
from data.series import FloatArray
from engine.kernel.schema import CHOICE

VALUES = tuple(name for name in CHOICE.names or () if name[0] == "v" and name[1:].isdigit())
MOST, EACH = 120, 20  # steps of time that are drawn at most, choices in one where there are many
AXIS, LAST = 50, 276  # logical widths: of an axis, of what was chosen last


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmHistory:
    """Choices in steps of as many choices each, in the order in which they were made.

    Attributes:
        multiples: per arm, of the ATR; NaN while the arm has not been served.
        shares: float64[steps, arms], how much of a step's choices served the arm; a row sums to 1.
        worth: float64[steps, arms], mean value of the arm to the exit in the step; NaN where it has none.
        bars: int64[steps], master bar of the first choice of each step.
    """

    multiples: FloatArray
    shares: FloatArray
    worth: FloatArray
    bars: IntArray

    @classmethod
    def of(cls, choices: Records, most: int = MOST) -> "ArmHistory":
        """The history of these choices, in at most ``most`` steps."""
        values = np.column_stack([choices[name] for name in VALUES]).reshape(-1, len(VALUES))
        known = ~np.isnan(values)
        served = int(choices["arm"].max(initial=-1)) + 1
        arms = max(served, int(known.any(axis=0).sum()))
        values, known, count = values[:, :arms], known[:, :arms], len(choices)
        steps = min(most, max(count // EACH, min(count, EACH)))
        starts = (np.arange(steps, dtype=np.int64) * count) // max(steps, 1)
        step = np.searchsorted(starts, np.arange(count), side="right") - 1
        tally = np.bincount(step * arms + choices["arm"], minlength=steps * arms).reshape(steps, arms)
        multiples = np.full(arms, np.nan)
        multiples[choices["arm"]] = choices["multiple"]
        if not steps:
            return cls(multiples=multiples, shares=np.zeros((0, arms)), worth=np.zeros((0, arms)), bars=starts)
        sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
        there = np.add.reduceat(known.astype(np.int64), starts, axis=0)
        worth = np.divide(sums, there, out=np.full((steps, arms), np.nan), where=there > 0)
        shares = tally / tally.sum(axis=1, keepdims=True)
        return cls(multiples=multiples, shares=shares, worth=worth, bars=choices["bar"][starts].astype(np.int64))


class ArmPicture(Painted):
    """The history as a picture: shares stacked above, worth as lines below, the last choice to the right."""

    def __init__(self) -> None:
        super().__init__()
        self.history = ArmHistory.of(np.zeros(0, CHOICE))
        self.last: Records | None = None
        self.ends = ("", "")
        self.setMinimumHeight(120)
        self.setAccessibleName("Multiples served and their worth over time")

    def put(self, choices: Records, ends: tuple[str, str]) -> None:
        """Show these choices; ``ends`` are the times of the first and the last."""
        self.history, self.ends = ArmHistory.of(choices), ends
        self.last = choices[-1] if len(choices) else None
        self.update()

    def colour(self, arm: int) -> str:
        """Multiples lie on a scale, so do their colours: small ones amber, large ones the accent's."""
        arms = max(len(self.history.multiples) - 1, 1)
        return blend(self.look.accent, self.look.amber, arm / arms)

    def name(self, arm: int) -> str:
        """The multiple of an arm, its place while it was never served."""
        multiple = float(self.history.multiples[arm])
        return f"{multiple:g} ATR" if multiple == multiple else f"arm {arm}"

    def draw(self, canvas: Canvas, width: int, height: int) -> None:
        if self.last is None:
            text = "no multiple was chosen yet; exits that learn write their choices here"
            canvas.text(text, self.look.muted, words(canvas.px(13)), 0, 0, width, height, CENTRE)
        else:
            self._paint(canvas, width, height, self.last)

    def _paint(self, canvas: Canvas, width: int, height: int, last: Records) -> None:
        right = width - canvas.px(LAST)
        foot, gap = height - canvas.px(20), canvas.px(8)
        beside = right > 3 * height
        middle = right // 2 if beside else 0
        shares = (0, 0, middle or right, foot if beside else foot // 2)
        lines = (middle + gap, 0, right, foot) if beside else (0, foot // 2 + gap, right, foot)
        self._shares(canvas, *self._box(canvas, *shares, "Served, share of the choices"))
        self._lines(canvas, *self._box(canvas, *lines, "Worth to the exit"))
        font, wide = words(canvas.px(11)), canvas.px(130)
        for box in (shares, lines) if beside else (lines,):
            canvas.text(self.ends[0], self.look.muted, font, box[0] + canvas.px(AXIS), foot, wide, canvas.px(20), LEFT)
            canvas.text(self.ends[1], self.look.muted, font, box[2] - wide, foot, wide, canvas.px(20), RIGHT)
        self._last(canvas, right + canvas.px(20), width - canvas.px(12), last)

    def _box(self, canvas: Canvas, left: int, top: int, right: int, foot: int, title: str) -> tuple[int, int, int, int]:
        """Where a picture lies between its title and its foot, beside its axis."""
        self._title(canvas, left + canvas.px(AXIS), top, title)
        return left + canvas.px(AXIS), top + canvas.px(20), right, foot

    def _title(self, canvas: Canvas, x: int, y: int, text: str) -> None:
        font = words(canvas.px(11), QFont.Weight.DemiBold)
        canvas.text(text, self.look.muted, font, x, y, canvas.px(300), canvas.px(20), LEFT)

    def _edges(self, left: int, right: int) -> IntArray:
        steps = len(self.history.bars)
        edges: IntArray = np.rint(left + np.arange(steps + 1) * ((right - left) / steps)).astype(np.int64)
        return edges

    def _shares(self, canvas: Canvas, left: int, top: int, right: int, foot: int) -> None:
        """Stacked: the smallest multiple at the foot."""
        edges, tall = self._edges(left, right), foot - top
        heights = np.rint(np.cumsum(self.history.shares, axis=1) * tall).astype(np.int64)
        below = np.zeros(len(heights), np.int64)
        for arm in range(heights.shape[1]):
            above = heights[:, arm]
            colour = blend(self.colour(arm), self.look.chart, 0.8)
            canvas.rects(colour, edges[:-1], foot - above, np.maximum(np.diff(edges), 1), above - below)
            below = above
        self._axis(canvas, left, top, foot, ("100 %", "0 %"))

    def _lines(self, canvas: Canvas, left: int, top: int, right: int, foot: int) -> None:
        worth = self.history.worth
        known = worth[~np.isnan(worth)]
        if not len(known):
            return
        low, high = float(known.min()), float(known.max())
        room = (high - low) or 1.0
        edges = self._edges(left, right)
        x: FloatArray = (edges[:-1] + edges[1:]) / 2
        for arm in range(worth.shape[1]):
            there = ~np.isnan(worth[:, arm])
            y: FloatArray = foot - (worth[there, arm] - low) / room * (foot - top)
            canvas.polyline(self.colour(arm), x[there], y, canvas.px(1))
        self._axis(canvas, left, top, foot, (number(high, 2), number(low, 2)))

    def _axis(self, canvas: Canvas, left: int, top: int, foot: int, ends: tuple[str, str]) -> None:
        canvas.rect(self.look.line, left - 1, top, 1, foot - top)
        font, tall = numbers(canvas.px(10)), canvas.px(14)
        for text, y in zip(ends, (top, foot - tall), strict=True):
            canvas.text(text, self.look.muted, font, left - canvas.px(AXIS), y, canvas.px(AXIS - 6), tall, RIGHT)

    def _last(self, canvas: Canvas, left: int, right: int, last: Records) -> None:
        """One row per multiple, the largest above: the key of the colours, its value now, and which was served."""
        self._title(canvas, left, 0, "Last choice")
        bold, plain = words(canvas.px(12), QFont.Weight.DemiBold), words(canvas.px(12))
        digits, arms = numbers(canvas.px(12)), len(self.history.multiples)
        step = min(canvas.px(20), (self._tall(canvas) - canvas.px(24)) // max(arms, 1))
        for row, arm in enumerate(reversed(range(arms))):
            y, served = canvas.px(22) + row * step, arm == int(last["arm"])
            canvas.rect(self.colour(arm), left, y + step // 2 - canvas.px(4), canvas.px(8), canvas.px(8))
            tone, font = (self.look.text, bold) if served else (self.look.muted, plain)
            canvas.text(self.name(arm), tone, font, left + canvas.px(16), y, canvas.px(70), step, LEFT)
            value = float(last[VALUES[arm]])
            if value == value:
                box = (left + canvas.px(80), y, canvas.px(64), step)
                canvas.text(number(value, 3, signed=True), tone, digits, *box, RIGHT)
            at = left + canvas.px(154)
            canvas.text(self._told(arm, last), self.look.amber, plain, at, y, right - at, step, LEFT)

    def _tall(self, canvas: Canvas) -> int:
        return round(self.height() * canvas.ratio)

    @staticmethod
    def _told(arm: int, last: Records) -> str:
        """Whether an arm was served, or would have been."""
        if arm == int(last["arm"]):
            return "served, fixed" if last["gated"] else "\N{LEFTWARDS ARROW} served"
        return "best" if arm == int(last["proposed"]) else ""


class LearnedPanel(Panel):
    """Multiples over time up to the cursor, of all symbols or of one."""

    def __init__(self) -> None:
        super().__init__()
        self.of = QComboBox()
        self.of.setAccessibleName("Whose choices")
        self.of.currentIndexChanged.connect(self._chosen)
        self.picture = ArmPicture()
        self.told = label("", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 4, 8, 4)
        layout.setSpacing(4)
        row = row_of(label("Choices of", "muted"), self.of, self.told, spacing=8)
        row.addStretch(1)
        layout.addLayout(row)
        layout.addWidget(self.picture, 1)
        self._pacing = Pacing()

    def begin(self) -> None:
        self.of.blockSignals(True)
        self.of.clear()
        if self.session is not None:
            self.of.addItems(["All symbols", *self.session.facts.symbols])
        self.of.blockSignals(False)
        self.picture.put(np.zeros(0, CHOICE), ("", ""))

    def _chosen(self) -> None:
        self._drawn = None
        if self.session is not None:
            self.show_state(self.session)

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        self.picture.look = look
        self.picture.update()

    def key(self, session: RunSession) -> object:
        """While the run plays, twice a second will do."""
        return self._pacing.key(session.playback.playing, (session.model.state, self.of.currentIndex()), self._drawn)

    def show_state(self, session: RunSession) -> None:
        choices, column = session.model.store.choices.upto(session.model.cursor), self.of.currentIndex() - 1
        if column >= 0:
            choices = choices[choices["symbol"] == column]
        ends = (self.time(int(choices["bar"][0])), self.time(int(choices["bar"][-1]))) if len(choices) else ("", "")
        self.picture.put(choices, ends)
        fixed = int(choices["gated"].sum())
        self.told.setText(f"{len(choices):,} choices" + (f", {fixed:,} of them the fixed multiple" if fixed else ""))
