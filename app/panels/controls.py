"""The control bar: steps, play, speed, rewind and fast-forward, phase, scrub bar, date."""

from collections.abc import Callable, Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout

from app.charts.ticks import LocalTime
from app.panels.panel import Panel
from app.panels.parts import Still, Value, icon_button, label, paint_icons, set_tone
from app.panels.scrub import ScrubBar
from app.replay.playback import JUMPS, PRESETS
from app.session import RunSession
from app.theme.fonts import numbers
from app.theme.tokens import Theme
from engine.kernel.schema import Phase

LEFT = ("restart", "trade back", "bar back", "phase back")
CHIP = 60  # width of a phase's name
RIGHT = ("phase on", "bar on", "trade on", "end")


def speed_text(speed: float) -> str:
    """25 bars/s, or max."""
    return "max" if speed == float("inf") else f"{speed:,.0f} bars/s"


class ControlBar(Panel):
    """Moves the cursor.

    Signals:
        speed_chosen: bars a second (float).
    """

    speed_chosen = pyqtSignal(object)

    def __init__(self, steps: Mapping[str, tuple[str, Callable[[], object]]]) -> None:
        """``steps``: name of an icon -> what it is called, and what it does."""
        super().__init__()
        self.setObjectName("controls")
        rows = QVBoxLayout(self)
        rows.setContentsMargins(8, 6, 8, 4)
        rows.setSpacing(6)
        layout = QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        rows.addLayout(layout)
        self.play = icon_button("play", *steps["play"])
        self.play.setProperty("tone", "accent")
        self.play.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.play.setText("Play")
        self.play.setMinimumWidth(80)
        buttons = [icon_button(name, *steps[name]) for name in LEFT]
        buttons += [self.play, *(icon_button(name, *steps[name]) for name in RIGHT)]
        for button in buttons:
            layout.addWidget(button)
        layout.addSpacing(8)
        self._add_jumps(layout, steps)
        layout.addSpacing(8)
        self.phases = {phase: self._phase_chip(phase) for phase in Phase}
        for chip in self.phases.values():
            layout.addWidget(Still(chip, wide=CHIP))
        layout.addSpacing(8)
        self._add_speed(layout)
        self.scrub = ScrubBar()
        layout.addStretch(1)
        below = QHBoxLayout()
        below.setSpacing(8)
        below.addWidget(self.scrub, 1)
        rows.addLayout(below)
        self.date, self.count = Value("Date and time"), Value("Bar of bars")
        for told, wide in ((self.date, 236), (self.count, 150)):
            told.setFixedWidth(wide)
            below.addWidget(told)
        self.date.setToolTip("When the bar opens; View, Time zone says whose clock it is")
        self.count.setToolTip("The cursor's bar and the last one, counted from 0 as in tables and explanations")

    def _add_jumps(self, layout: QHBoxLayout, steps: Mapping[str, tuple[str, Callable[[], object]]]) -> None:
        self.jump = QComboBox()
        self.jump.addItems([f"{bars:,}" for bars in JUMPS])
        self.jump.setAccessibleName("Bars of rewind and fast-forward")
        self.jump.setToolTip("Bars of rewind and fast-forward")
        self.jump.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.jump.setFixedWidth(68)
        for widget in (icon_button("rewind", *steps["rewind"]), self.jump, icon_button("forward", *steps["forward"])):
            layout.addWidget(widget)

    @staticmethod
    def _phase_chip(phase: Phase) -> QLabel:
        chip = label(phase.name, "heading")
        chip.setAlignment(Qt.AlignmentFlag.AlignCenter)
        chip.setAccessibleName(f"Phase {phase.name}")
        return chip

    def _add_speed(self, layout: QHBoxLayout) -> None:
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, len(PRESETS) - 1)
        self.speed.setValue(2)
        self.speed.setMinimumWidth(50)
        self.speed.setMaximumWidth(84)
        self.speed.setPageStep(1)
        self.speed.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.speed.setAccessibleName("Speed")
        self.speed.setToolTip("Speed in bars a second")
        self.speed_told = label(speed_text(PRESETS[2]), "number")
        self.speed_told.setFont(numbers(11))
        self.speed_told.setMinimumWidth(86)
        self.speed.valueChanged.connect(self._speed_moved)
        layout.addWidget(self.speed)
        layout.addWidget(self.speed_told)

    def _speed_moved(self, place: int) -> None:
        self.speed_told.setText(speed_text(PRESETS[place]))
        self.speed_chosen.emit(PRESETS[place])

    @property
    def chosen_speed(self) -> float:
        """Bars a second that the slider says."""
        return PRESETS[self.speed.value()]

    @property
    def jump_bars(self) -> int:
        """Bars of rewind and fast-forward."""
        return JUMPS[self.jump.currentIndex()]

    def set_look(self, look: Theme, clock: LocalTime) -> None:
        super().set_look(look, clock)
        self.scrub.look = look
        self.date.set_look(look)
        self.count.set_look(look)
        paint_icons(self, look)

    def begin(self) -> None:
        self.scrub.session = self.session
        self.scrub.update()

    def key(self, session: RunSession) -> object:
        return (session.model.state, session.playback.playing, session.model.store.bars, session.branching)

    def show_state(self, session: RunSession) -> None:
        cursor = session.model.cursor
        for phase, chip in self.phases.items():
            set_tone(chip, "amber" if phase is cursor.phase and session.model.standing else "")
        self._show_playing(session.playback.playing)
        if session.model.standing:
            moment = self.clock.moment(session.facts.time_ns(cursor.bar))
            self.date.put(f"{moment:%a} {moment.day} {moment:%b %Y %H:%M} {self.clock.name}")
        self.count.put(f"{max(cursor.bar, 0):,} / {session.facts.bars - 1:,}")
        self.scrub.update()

    def _show_playing(self, playing: bool) -> None:
        name = "pause" if playing else "play"
        if self.play.property("icon_name") != name:
            self.play.setProperty("icon_name", name)
            self.play.setText(name.title())
            paint_icons(self, self.look)

    def buttons(self) -> list[QToolButton]:
        """Its buttons, for tests and for reading out."""
        return self.findChildren(QToolButton)
