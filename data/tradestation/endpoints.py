"""Where the service is: live, SIM, or any other place that speaks the same language."""

from dataclasses import dataclass

CALLBACK_PORTS = (3000, 3001, 8080, 31022)
AUDIENCE = "https://api.tradestation.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoints:
    """Base URLs, without a slash at the end.

    Attributes:
        api: version 3 of the API; ``legacy`` is version 2, which alone can search symbols.
        simulated: fake accounts; a viewer must show SIM and LIVE unmistakably different.
    """

    api: str
    legacy: str
    sign_in: str
    simulated: bool

    @classmethod
    def live(cls) -> "Endpoints":
        """The real service with real accounts."""
        return cls(
            api="https://api.tradestation.com/v3",
            legacy="https://api.tradestation.com/v2",
            sign_in="https://signin.tradestation.com",
            simulated=False,
        )

    @classmethod
    def sim(cls) -> "Endpoints":
        """The real service with simulated accounts; same data, same sign-in."""
        return cls(
            api="https://sim-api.tradestation.com/v3",
            legacy="https://sim-api.tradestation.com/v2",
            sign_in="https://signin.tradestation.com",
            simulated=True,
        )

    @classmethod
    def at(cls, base: str) -> "Endpoints":
        """Everything under one base URL, as the emulator serves it."""
        base = base.rstrip("/")
        return cls(api=f"{base}/v3", legacy=f"{base}/v2", sign_in=base, simulated=True)
