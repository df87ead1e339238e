"""Checks of inputs: uploads under one name, what LoadImage makes of them, and files that are not there."""

import io

from comfygen_mcp.comfyui.outputs import RemoteFile
from comfygen_mcp.errors import ExecutionFailed, UnexpectedReply
from comfygen_mcp.interop import graphs, media
from comfygen_mcp.interop.bench import Bench
from comfygen_mcp.interop.findings import Check, Finding, Passed
from comfygen_mcp.interop.outputs import expect, random_colour

NAME = "same name.png"


async def uploads(bench: Bench) -> Finding:
    """Other bytes under the same name must not replace the first; the same bytes are stored once."""
    colours = random_colour(), random_colour()
    pictures = [_png(colour) for colour in colours]
    first, second = [await bench.upload(picture, NAME) for picture in pictures]
    again = await bench.upload(pictures[0], NAME)
    if first == second:
        raise UnexpectedReply(f"Two pictures uploaded as {NAME!r} are both stored as {first!r}: one is lost.")
    if again != first:
        raise UnexpectedReply(f"The bytes of {first!r}, uploaded again, are stored again as {again!r}.")
    outputs = expect(await bench.run(graphs.loaded_images(first, second)), "image", 2)
    for output in outputs:
        media.expect_colour(output, colours[output.node_id == "show1"], edge=graphs.EDGE)
    return Passed(f"stored as {first.rpartition('/')[2]!r} and {second.rpartition('/')[2]!r}, loaded as sent")


async def broken_upload(bench: Bench) -> Finding:
    """Nothing checks an upload's content: the node that opens it fails, and we must say which."""
    value = await bench.upload(b"This is not a picture.\n", "broken.png")
    try:
        await bench.run(graphs.loaded_images(value))
    except ExecutionFailed as error:
        if "LoadImage" not in str(error):
            raise UnexpectedReply(f"The error does not name LoadImage: {error}") from error
        return Passed(f"ExecutionFailed: {error}")
    raise UnexpectedReply("LoadImage made a picture of a text file.")


async def missing_output(bench: Bench) -> Finding:
    absent = RemoteFile(node_id="1", filename="never-made.png", subfolder=bench.prefix("none"))
    try:
        await bench.client.fetch(absent, bench.folder)
    except UnexpectedReply as error:
        if "no longer on the server" in str(error):
            return Passed("404, told as a file that is no longer on the server")
        raise
    raise UnexpectedReply("/view gives a file that was never made.")


def _png(colour: int) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    size = (graphs.EDGE, graphs.EDGE)
    Image.new("RGB", size, tuple(colour.to_bytes(3, "big"))).save(buffer, "PNG")
    return buffer.getvalue()


CHECKS = (
    Check("upload: same name, other bytes", uploads, ("LoadImage", "PreviewImage")),
    Check("error: input that is no picture", broken_upload, ("LoadImage", "PreviewImage")),
    Check("error: file that is not there", missing_output),
)
