"""Some damaged command lines; `python -m tests.reliability commands` tries thousands."""

from tests.reliability.command_lines import try_lines


def test_damaged_command_lines_are_refused():
    found = try_lines(0, 150)
    assert found["failures"] == []
    assert found["refused"] > 100
