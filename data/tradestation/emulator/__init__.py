"""A TradeStation-like service on the loopback interface, with every habit and fault a client must bear."""

from data.tradestation.emulator.scenario import (
    AuthHabits,
    BarHabits,
    BookHabits,
    Chunking,
    Fault,
    FaultKind,
    Framing,
    Limit,
    Scenario,
    SymbolSpec,
    load_scenario,
    scenario_from,
)
from data.tradestation.emulator.server import Emulator
