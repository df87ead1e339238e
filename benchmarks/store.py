"""The S3 store beside the bare SDK, in turns, and the memory that a very large file takes.

usage: python benchmarks/store.py [rounds]
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
from anyio import to_thread
from minio import Minio
from table import show

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from s3_servers import Rclone, opened

SIZE = 2_000_000
CONCURRENCY = 8
OBJECTS = 16
BIG = 500_000_000


async def main(rounds: int) -> None:
    """Measure in turns, so that a noisy moment hits both sides."""
    samples: dict[str, list[float]] = {
        name: [] for name in ("bare put", "store put", "bare get", "store get")
    }
    with tempfile.TemporaryDirectory() as folder, Rclone(Path(folder) / "s3") as server:
        source = Path(folder) / "picture.png"
        source.write_bytes(os.urandom(SIZE))
        bare = Minio(
            endpoint=server.s3.url.removeprefix("http://"),
            access_key=server.s3.access_key,
            secret_key=server.s3.secret_key,
            region="us-east-1",
            secure=False,
        )
        with opened(server.s3.options("bench")) as store:
            await store.put_bytes("warm.bin", b"x", mime="application/octet-stream")

            async def bare_put(name: str) -> None:
                await to_thread.run_sync(
                    lambda: bare.fput_object(bucket_name="bench", object_name=name, file_path=str(source))
                )

            async def bare_get(name: str) -> None:
                await to_thread.run_sync(lambda: bare_read(bare, name))

            async def store_put(name: str) -> None:
                await store.put_file(name, source, mime="image/png")

            for turn in range(rounds + 1):
                took = [
                    await each(f"a{turn}", bare_put),
                    await each(f"b{turn}", store_put),
                    await each(f"a{turn}", bare_get),
                    await each(f"b{turn}", store.read),
                ]
                if turn:  # the first one opens connections
                    for name, milliseconds in zip(samples, took, strict=True):
                        samples[name].append(milliseconds)
            show(
                "2 MB, concurrency 8, ms per object: put", {k: samples[k] for k in ("bare put", "store put")}
            )
            show(
                "2 MB, concurrency 8, ms per object: get", {k: samples[k] for k in ("bare get", "store get")}
            )
            show(
                "500 MB put",
                {"resident memory grows by": [await growth(store.put_file, Path(folder))]},
                unit="MB",
            )


def bare_read(client: Minio, name: str) -> bytes:
    reply = client.get_object(bucket_name="bench", object_name=name)
    try:
        return reply.read()
    finally:
        reply.close()
        reply.release_conn()


async def each(prefix: str, work: Callable[[str], Awaitable[object]]) -> float:
    """Run *work* for every object, eight at a time; return milliseconds per object."""
    limiter = anyio.CapacityLimiter(CONCURRENCY)

    async def one(name: str) -> None:
        async with limiter:
            await work(name)

    started = time.perf_counter()
    async with anyio.create_task_group() as group:
        for number in range(OBJECTS):
            group.start_soon(one, f"{prefix}-{number}.bin")
    return (time.perf_counter() - started) * 1000 / OBJECTS


async def growth(put_file: Callable[..., Awaitable[None]], folder: Path) -> float:
    """Return by how many megabytes the process grows at most while it stores a 500 MB file."""
    video = folder / "video.mp4"
    with video.open("wb") as file:
        file.truncate(BIG)
    before, peak = resident_mb(), 0.0

    async def watch() -> None:
        nonlocal peak
        while True:
            peak = max(peak, resident_mb())
            await asyncio.sleep(0.02)

    watching = asyncio.create_task(watch())
    await put_file("video.mp4", video, mime="video/mp4")
    watching.cancel()
    return peak - before


def resident_mb() -> float:
    line = next(
        line
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        if line.startswith("VmRSS")
    )
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 8))
