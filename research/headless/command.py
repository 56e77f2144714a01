"""What a headless run does from command line to exit code: 0 done, 2 an error, 130 stopped by Ctrl-C."""

import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from data.errors import TriphaseError
from research.headless.arguments import Arguments, parse
from research.headless.surroundings import DONE, FAILED, STOPPED, Surroundings

if TYPE_CHECKING:
    from research.headless.services import Services


def main(
    argv: Sequence[str],
    surroundings: Surroundings | None = None,
    services: "Callable[[], Services] | None" = None,
) -> int:
    """Run the command line ``argv`` (without the program's name) and return its exit code."""
    arguments = parse(argv)
    around = surroundings if surroundings is not None else Surroundings(out=sys.stdout, error=sys.stderr)
    try:
        # What a bot prints is for people: with --json the one object stands alone on stdout.
        with redirect_stdout(around.error) if arguments.json else nullcontext():
            return _command(arguments, around, services if services is not None else _engine)
    except TriphaseError as error:
        print(f"error: {error}", file=around.error)
        return FAILED
    except KeyboardInterrupt:
        print("stopped before there was a result; nothing is kept", file=around.error)
        return STOPPED


def _engine() -> "Services":
    from research.headless.engine_services import services

    return services()


def _command(arguments: Arguments, around: Surroundings, services: "Callable[[], Services]") -> int:
    """Imports the engine as late as can be: help, version and a wrong configuration are told at once."""
    if arguments.version:
        print(_version(), file=around.out)
        return DONE
    if arguments.list:
        print(services().listing(), file=around.out)
        return DONE
    if arguments.sweep is not None:
        from research.sweeping.command import sweep

        return sweep(arguments.sweep, around)
    from research.headless.configuring import configured

    config, notes = configured(arguments, lambda config, part: services().known_settings(config, part))
    if not arguments.quiet:
        for note in notes:
            print(f"note: {note}", file=around.error)
    from research.headless.running import check, run

    if arguments.check_lookahead:
        return check(config, arguments, around, services())
    return run(config, arguments, around, services(), tuple(notes))


def _version() -> str:
    import tomllib

    file = Path(__file__).resolve().parents[2] / "pyproject.toml"
    project = tomllib.loads(file.read_text(encoding="utf-8"))["project"]
    return f"{project['name']} {project['version']}"
