"""What a headless run does once its configuration is known: run, bounds, save, print."""

from collections.abc import Mapping
from pathlib import Path

from engine.config import BacktestConfig
from engine.run_folders import new_folder
from research.headless.arguments import Arguments, Drive
from research.headless.beside import bots_beside
from research.headless.printing import Outcome, as_json, plain_json, table
from research.headless.progress import progress_bar
from research.headless.services import MakeBot, RunResult, Services
from research.headless.surroundings import DONE, FAILED, STOPPED, Surroundings


def check(config: BacktestConfig, arguments: Arguments, around: Surroundings, engine: Services) -> int:
    """Check bot and exit for look-ahead and print the verdict.

    Raises:
        LookAheadError: where there is any.
    """
    with bots_beside(config, engine, engine.make_bot(config)) as make:
        report = engine.check_lookahead(config, make)
    text = report.summary()
    if arguments.json:
        text = plain_json({"name": config.name, "lookahead": False, "report": text})
    if arguments.json or not arguments.quiet:
        print(text, file=around.out)
    return DONE


def run(
    config: BacktestConfig, arguments: Arguments, around: Surroundings, engine: Services, notes: tuple[str, ...]
) -> int:
    """Run, save, print; the exit code tells whether it was stopped."""
    bot = engine.make_bot(config)
    started = around.seconds()
    without: dict[str, Exception | None] = {}
    with bots_beside(config, engine, bot) as make:
        with progress_bar(around.error, config.name, show=not arguments.quiet) as listener:
            result = engine.run(config, bot, arguments.drive, listener)
        seconds = around.seconds() - started
        if arguments.bounds and result.error is None and not result.interrupted:
            without = _add_bounds(config, result, arguments.drive, engine, make)
    folder = _save(config, result, arguments, around)
    outcome = Outcome(
        config=config, result=result, folder=folder, seconds=seconds, notes=notes, learned=learned_by(bot)
    )
    if arguments.json:
        print(as_json(outcome), file=around.out)
    elif not arguments.quiet:
        print(table(outcome), file=around.out)
    return _exit_code(outcome, without, around)


def _add_bounds(
    config: BacktestConfig, result: RunResult, drive: Drive, engine: Services, make: MakeBot
) -> dict[str, Exception | None]:
    """Put the bounds beside the result; those that ended early by name, each with what was raised, None for Ctrl-C."""
    try:
        found = engine.bounds(config, make, drive)
    except KeyboardInterrupt:
        return {"all": None}
    early = {name: run.error for name, run in found.items() if run.interrupted or run.error is not None}
    result.bounds.update({name: run for name, run in found.items() if name not in early})
    return early


def learned_by(bot: object) -> tuple[str, ...]:
    """What an exit that learns online tells of itself: counts, means and intervals of its arms; nothing of others."""
    tell = getattr(getattr(bot, "exit", None), "summary", None)
    return tuple(tell()) if callable(tell) else ()


def _exit_code(outcome: Outcome, without: Mapping[str, Exception | None], around: Surroundings) -> int:
    """Say what ended the run or its bounds early, if anything did, and what is kept."""
    result = outcome.result
    kept = f"what was done is kept in {outcome.folder}" if outcome.folder is not None else "nothing is saved"
    if result.error is not None:
        print(f"error: {result.error}\n{kept}", file=around.error)
        return FAILED
    if result.interrupted:
        print(f"stopped after {result.bars:,} bars; {kept}", file=around.error)
        return STOPPED
    for name, error in without.items():
        if error is not None:
            print(f"error: {error}; the bound {name} is left out\n{kept}", file=around.error)
            return FAILED
    if without:
        left_out = f"{', '.join(without)} left out"
        print(f"stopped during the bounds, {left_out}; {kept}", file=around.error)
        return STOPPED
    return DONE


def _save(config: BacktestConfig, result: RunResult, arguments: Arguments, around: Surroundings) -> Path | None:
    if not arguments.save:
        return None
    folder = new_folder(config.output.folder, config.name, around.now())
    result.save(folder)
    return folder
