"""Cases made by hand for places of the kernel that random cases seldom reach."""

from tests.scenarios.kernel import Case


def chosen_cases() -> dict[str, Case]:
    """Case by name."""
    return {}
