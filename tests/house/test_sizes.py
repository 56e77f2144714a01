"""No function and no file grows past what a reader takes in at once."""

from statistics import median, quantiles

from tests.house.tree import application_files, functions, length, python_files, relative

LONGEST_FUNCTION = 60
LONGEST_FILE = 600


def test_no_function_is_longer_than_sixty_lines() -> None:
    too_long = [
        f"{relative(path)}:{node.lineno} {node.name}: {length(node)} lines"
        for path in python_files()
        for node in functions(path)
        if length(node) > LONGEST_FUNCTION
    ]
    assert not too_long, "\n".join(too_long)


def test_no_file_is_longer_than_six_hundred_lines() -> None:
    lengths = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    too_long = [f"{name}: {count} lines" for name, count in lengths.items() if count > LONGEST_FILE]
    assert not too_long, "\n".join(too_long)


def test_half_of_the_functions_are_at_most_eight_lines_and_nine_in_ten_at_most_twenty_five() -> None:
    lengths = [length(node) for path in application_files() for node in functions(path)]
    assert median(lengths) <= 8
    assert quantiles(lengths, n=10)[-1] <= 25


def test_nine_files_in_ten_have_at_most_four_hundred_lines() -> None:
    lengths = [len(path.read_text(encoding="utf-8").splitlines()) for path in application_files()]
    assert quantiles(lengths, n=10)[-1] <= 400
