"""The exception tree of Triphase, and the errors of the data layer.

Every error that a user can cause or meet is a ``TriphaseError`` and states four things: the fact, the figures,
the place, the cure. The command line prints its text and ends with exit code 2; nothing else is shown.

    TriphaseError
    +-- DataError               bars cannot be used as they are                         data
    |   +-- SourceError         a file is missing, empty, or not in a layout we read    data
    |   +-- BarError            a row contradicts the rules for bars (S3.4)             data
    |   +-- TimelineError       symbols cannot share one timeline (S3.5)                data
    |   +-- CalendarError       a session calendar is unknown or lacks the dates        data
    |   +-- LiveDataError       a live service did not give what was asked              data
    |       +-- SignInError         no credentials, or they are refused or run out
    |       +-- EntitlementError    signed in, but not entitled to these data
    |       +-- UnknownSymbolError  the service does not know the symbol
    |       +-- RequestError        the service refuses the request as it is
    |       +-- QuotaError          too many requests in the service's window
    |       +-- NetworkError        the service cannot be reached, or broke off
    +-- ModelError              a trained model is missing, damaged or does not fit     data
    +-- InstrumentError         contract facts are missing or contradict (S1)           data
    +-- PlaceHeldError          another process writes to the same place                data
    +-- ConfigError             a configuration key or value is wrong                   engine.errors
    +-- CatalogError            a bot, exit, indicator or slippage model is unknown     engine.errors
    +-- StrategyError           a bot or exit raised while running                      engine.errors
    +-- LookAheadError          a bot or exit used what it could not know (S15)         engine.errors
    +-- JournalError            a run folder is damaged or of another version           engine.errors
    +-- SaveError               results could not be written                            engine.errors
"""


class TriphaseError(Exception):
    """Base of all errors a user can cause or meet."""


class DataError(TriphaseError):
    """Bars cannot be used as they are."""


class SourceError(DataError):
    """A file is missing, empty, or not in a layout that can be read."""


class BarError(DataError):
    """A row contradicts the rules for bars (rulebook S3.4)."""


class TimelineError(DataError):
    """Symbols cannot share one master timeline (rulebook S3.5)."""


class CalendarError(DataError):
    """A session calendar is unknown, or does not cover the dates asked for."""


class ModelError(TriphaseError):
    """A trained model, or the saved state of a learner, is missing, damaged or does not fit what asks for it."""


class InstrumentError(TriphaseError):
    """Contract facts are missing or contradict each other (rulebook S1)."""


class PlaceHeldError(TriphaseError):
    """Another process writes to the same sweep, account or model."""


class LiveDataError(DataError):
    """A live service did not give what was asked."""


class SignInError(LiveDataError):
    """Credentials are missing, refused, revoked or run out: a new sign-in is needed."""


class EntitlementError(LiveDataError):
    """The sign-in is good, but it does not cover these data (or the same login uses them elsewhere)."""


class UnknownSymbolError(LiveDataError):
    """The service does not know the symbol."""


class RequestError(LiveDataError):
    """The service refuses the request as it is; asking again the same way will not help."""


class QuotaError(LiveDataError):
    """Too many requests in the service's window.

    Attributes:
        retry_in: market seconds until the window is over.
    """

    def __init__(self, message: str, retry_in: float) -> None:
        super().__init__(message)
        self.retry_in = retry_in


class NetworkError(LiveDataError):
    """The service cannot be reached, answers with a fault of its own, or broke off."""
