"""The diagram in the documents is the table."""

from pathlib import Path

from tools import statediagram

PAGE = Path(__file__).parents[2] / "docs" / "states.md"


def test_the_committed_page_is_what_the_table_draws() -> None:
    assert PAGE.read_text() == statediagram.diagram(), "run `make docs`"
    assert "FETCHING --> SENT : CaFetched" in statediagram.diagram()
