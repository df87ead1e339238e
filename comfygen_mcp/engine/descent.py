"""Recursion with a stack of its own: a graph may be thousands of nodes deep, and Python's stack is not."""

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Visit: TypeAlias = Generator[T, R, R]
"""The work on one item: it yields an item whose result it needs, is sent that, and returns its own."""


def descend(start: T, visit: Callable[[T], Visit[T, R]], *, passed_on: tuple[type[Exception], ...] = ()) -> R:
    """Return what *visit* makes of *start*, as if each yield were a call.

    An exception of *passed_on* is raised where the result was waited for, and may be caught there.
    """
    open_visits = [visit(start)]
    resume: Callable[[Visit[T, R]], T] = next
    while True:
        try:
            wanted = resume(open_visits[-1])
        except StopIteration as done:
            open_visits.pop()
            result: R = done.value
            if not open_visits:
                return result
            resume = _sending(result)
        except passed_on as error:
            open_visits.pop()
            if not open_visits:
                raise
            resume = _raising(error)
        else:
            open_visits.append(visit(wanted))
            resume = next


def _sending(result: R) -> "Callable[[Visit[T, R]], T]":
    return lambda waiting: waiting.send(result)


def _raising(error: Exception) -> "Callable[[Visit[T, R]], T]":
    return lambda waiting: waiting.throw(error)
