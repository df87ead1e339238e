"""Checks that graphs which cannot run are refused, and that the refusal becomes our error in full.

None of them would do harm if it ran: they make a small picture in the server's temp folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from comfygen_mcp.errors import BadWorkflow, GraphRejected, MissingModel, UnexpectedReply
from comfygen_mcp.graph.check import check_links
from comfygen_mcp.interop.bench import Bench
from comfygen_mcp.interop.findings import Check, Finding, Passed, Skipped
from comfygen_mcp.interop.graphs import classes_of, empty_image, node
from comfygen_mcp.interop.server import NO_SUCH_CLASS
from comfygen_mcp.models import Graph

NO_SUCH_FILE = "comfygen-check-no-such-file.safetensors"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A graph that must be refused, and the *words* that our error must hold."""

    name: str
    graph: Graph
    words: Sequence[str]
    error: type[GraphRejected] = GraphRejected


UNKNOWN_CLASS: Graph = {
    "1": node(NO_SUCH_CLASS, colour=1),
    "2": node("PreviewImage", images=["1", 0]),
}
TOO_SMALL: Graph = {
    "1": node("EmptyImage", width=0, height=64, batch_size=1, color=1),
    "2": node("PreviewImage", images=["1", 0]),
}
NO_CHOICE: Graph = {
    "1": empty_image(1),
    "2": node("ImageScale", image=["1", 0], upscale_method="by hand", width=8, height=8, crop="disabled"),
    "3": node("PreviewImage", images=["2", 0]),
}
NO_FILE: Graph = {
    "1": node("CheckpointLoaderSimple", ckpt_name=NO_SUCH_FILE),
    "2": node("EmptyLatentImage", width=64, height=64, batch_size=1),
    "3": node("VAEDecode", samples=["2", 0], vae=["1", 2]),
    "4": node("PreviewImage", images=["3", 0]),
}
NO_INPUT: Graph = {"1": node("PreviewImage")}
NO_OUTPUT: Graph = {"1": empty_image(1)}
NO_NODE: Graph = {"1": empty_image(1), "2": node("PreviewImage", images=["99", 0])}

REFUSALS = (
    Refusal("unknown class", UNKNOWN_CLASS, (NO_SUCH_CLASS,)),
    Refusal("value too small", TOO_SMALL, ("EmptyImage", "width", "valid: 1 to")),
    Refusal("value that is no choice", NO_CHOICE, ("ImageScale", "upscale_method", "lanczos")),
    Refusal("missing model file", NO_FILE, (NO_SUCH_FILE, "models/checkpoints"), MissingModel),
    Refusal("missing input", NO_INPUT, ("PreviewImage", "images")),
    Refusal("no output node", NO_OUTPUT, ("SaveImage",)),
)


async def refused(bench: Bench, *, refusal: Refusal) -> Finding:
    error = await _error_of(bench, refusal.graph)
    words = str(error)
    if type(error) is not refusal.error:
        raise UnexpectedReply(f"Told as {type(error).__name__} instead of {refusal.error.__name__}: {words}")
    if lacking := [word for word in refusal.words if word not in words]:
        raise UnexpectedReply(f"The error does not say {', '.join(map(repr, lacking))}: {words}")
    return Passed(f"{type(error).__name__}: {words}".replace("\n", " "))


async def missing_link(bench: Bench) -> Finding:
    """We must find the bad link ourselves, because servers blame the wrong node; the server refuses too."""
    if bench.catalogue is None:
        return Skipped("server's node classes could not be read")
    await _error_of(bench, NO_NODE)
    try:
        check_links(NO_NODE, bench.catalogue)
    except BadWorkflow as error:
        return Passed(f"found before it is sent: {error}")
    raise UnexpectedReply("A link to a node that does not exist is not found before sending.")


async def _error_of(bench: Bench, graph: Graph) -> GraphRejected:
    try:
        await bench.submit(graph)
    except GraphRejected as error:
        return error
    await bench.withdraw()
    raise UnexpectedReply("The server accepted a graph that cannot run.")


CHECKS = (
    *(
        Check(
            f"error: {refusal.name}",
            partial(refused, refusal=refusal),
            tuple(name for name in classes_of(refusal.graph) if name != NO_SUCH_CLASS),
        )
        for refusal in REFUSALS
    ),
    Check("error: link to a missing node", missing_link, classes_of(NO_NODE)),
)
