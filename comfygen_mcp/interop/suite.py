"""The suite: every check in order, one verdict each, and everything of ours taken back at the end."""

import asyncio
import contextlib
import time
from collections.abc import Callable

from comfygen_mcp.comfyui.unreachable import address
from comfygen_mcp.comfyui.wording import without_paths
from comfygen_mcp.errors import ComfygenError
from comfygen_mcp.interop import jobs, outputs, refusals, sampling, server, uploads
from comfygen_mcp.interop.bench import Bench, Plan, open_bench
from comfygen_mcp.interop.findings import Check, Finding, Passed, Report, Skipped, Verdict
from comfygen_mcp.interop.journal import Journal
from comfygen_mcp.interop.workflows import workflow_checks
from comfygen_mcp.models import Host

RUNS_PER_CHECK = 4
"""No check waits for more runs than this, so its bound is that many times the bound of one run."""


def all_checks() -> tuple[Check, ...]:
    return (
        *server.CHECKS,
        *workflow_checks(),
        *outputs.CHECKS,
        *uploads.CHECKS,
        *jobs.CHECKS,
        *refusals.CHECKS,
        *sampling.CHECKS,
    )


async def check_server(
    host: Host, plan: Plan, journal: Journal, *, announce: Callable[[str], None] = lambda _: None
) -> Report:
    """Put every question to *host*; raises only when nobody answers there, or no ComfyUI does.

    *announce* is told each check's name before it begins.
    """
    journal.note("start", server=address(host), id=plan.id, headers=sorted(host.headers))
    async with open_bench(host, plan, journal) as bench:
        await bench.look()
        verdicts: list[Verdict] = []
        try:
            for check in all_checks():
                announce(check.name)
                verdicts.append(await _judged(bench, check))
        finally:
            verdicts.append(await _judged(bench, Check("left as it was found", left_as_found)))
        report = _report(bench, verdicts)
    journal.note("end", **report.model_dump(mode="json", exclude={"verdicts"}))
    return report


async def left_as_found(bench: Bench) -> Finding:
    """Take back what still waits or runs of ours, and look whether that worked."""
    await bench.withdraw()
    await bench.forget()
    queue = await bench.client.queue()
    still = [prompt_id for prompt_id in bench.ours if prompt_id in queue]
    if still:
        raise ComfygenError(f"Prompts of ours are still in the queue: {', '.join(still)}.")
    others = len(queue.running) + len(queue.pending)
    before = len(bench.before.running) + len(bench.before.pending)
    return Passed(
        f"none of our {len(bench.ours)} prompts is left in queue or history; "
        f"prompts of others: {before} at the start, {others} now"
    )


async def _judged(bench: Bench, check: Check) -> Verdict:
    began = time.monotonic()
    verdict = await _verdict(bench, check)
    verdict = verdict.model_copy(update={"ms": round((time.monotonic() - began) * 1000)})
    bench.journal.note("verdict", **verdict.model_dump())
    return verdict


async def _verdict(bench: Bench, check: Check) -> Verdict:
    if lacking := bench.lacking(check.needs):
        return Verdict(check=check.name, result="skipped", detail=f"server has no {lacking}", ms=0)
    try:
        async with asyncio.timeout(bench.plan.timeout_s * RUNS_PER_CHECK):
            found = await check.ask(bench)
    except (ComfygenError, TimeoutError) as error:
        with contextlib.suppress(ComfygenError):
            await bench.withdraw()
        words = str(error) or f"no end within {bench.plan.timeout_s * RUNS_PER_CHECK:g} s"
        return Verdict(check=check.name, result="failed", detail=without_paths(words), ms=0)
    match found:
        case Passed(detail=detail):
            return Verdict(check=check.name, result="ok", detail=detail, ms=0)
        case Skipped(reason=reason):
            return Verdict(check=check.name, result="skipped", detail=reason, ms=0)


def _report(bench: Bench, verdicts: list[Verdict]) -> Report:
    return Report(
        id=bench.plan.id,
        server=address(bench.http.host),
        comfyui_version=bench.facts.comfyui_version,
        verdicts=tuple(verdicts),
        outputs=tuple(dict.fromkeys(bench.outputs)),
        inputs=tuple(dict.fromkeys(bench.inputs)),
    )
