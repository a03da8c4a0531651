"""The word list of `python -m tools words`: what it finds, what it excuses and what it does not read."""

from pathlib import Path

import pytest

from tools import words

SAMPLES = {
    "It mends a hole.": "mends",
    "A run is set\naside.": "set aside",
    "'x' is no time": "is no time",
    "Rows tell which run.": "tell which",
    "An organisation's rows.": "organisation",
    "Behaviour": "Behaviour",
}


def found(folder: Path, name: str, text: str) -> list[tuple[int, str]]:
    (folder / name).write_text(text, encoding="utf-8")
    return [(each.line, each.word) for each in words.search(folder)]


def test_the_repository_has_none() -> None:
    """No text outside the excluded paths has a word of the list."""
    assert [str(each) for each in words.search()] == []


@pytest.mark.parametrize("text", SAMPLES)
def test_a_listed_word_is_found(tmp_path: Path, text: str) -> None:
    """A word is found with its line, in any case and across a line break."""
    assert found(tmp_path, "page.md", f"# Title\n\n{text}\n") == [(3, SAMPLES[text])]


def test_code_is_not_read(tmp_path: Path) -> None:
    """Code spans and blocks of Markdown and names in Python are left out; strings and comments are read."""
    assert found(tmp_path, "page.md", "`mend`\n\n```sh\nmend\n```\n") == []
    assert found(tmp_path, "code.py", 'mend = "anew"  # mended\n') == [(1, "anew"), (1, "mended")]


def test_an_exception_excuses_only_what_it_covers(tmp_path: Path) -> None:
    """`unless` excuses a match inside it and no other one."""
    (tmp_path / "list.toml").write_text(
        "[[word]]\nfind = '\\brooms?\\b'\nunless = '\\bchat rooms?\\b'\ninstead = 'row budget'\n", encoding="utf-8"
    )
    (tmp_path / "page.md").write_text("A chat room.\nNo room.\n", encoding="utf-8")
    assert [each.line for each in words.search(tmp_path, tmp_path / "list.toml")] == [2]


def test_a_find_says_what_to_write(tmp_path: Path) -> None:
    """A line of output has file, line, word and advice."""
    (tmp_path / "page.md").write_text("Start anew.\n", encoding="utf-8")
    assert [str(each) for each in words.search(tmp_path)] == ["page.md:1: 'anew': write again"]
