"""Who is surely gone, and who only can't be seen."""

import os
import subprocess
import sys

import pytest

from hub.durable.process import is_gone, new_id, place


def test_ids_are_unique_fit_their_column_and_name_the_process() -> None:
    ids = {new_id() for _ in range(100)}
    assert len(ids) == 100
    assert all(len(each) <= 60 and each.startswith(f"{place()}-{os.getpid()}-") for each in ids)


def test_a_process_that_ended_here_is_gone_and_one_that_runs_is_not() -> None:
    own = new_id()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    id_ = f"{place()}-{child.pid}-abc"
    assert not is_gone(id_, own=own)
    child.communicate(b"\n")
    assert is_gone(id_, own=own)


def test_who_had_our_process_id_before_us_is_gone_and_we_are_not() -> None:
    own = new_id()
    assert is_gone(new_id(), own=own)
    assert not is_gone(own, own=own)


@pytest.mark.parametrize("executor", ["elsewhere000-999999-abc", "local", "", f"{place()}-x-abc"])
def test_nothing_is_concluded_about_who_cannot_be_seen(executor: str) -> None:
    assert not is_gone(executor, own=new_id())
