"""How much abuse PADS takes: what the tests here do for seconds, `python -m tests.reliability` does for hours."""
