"""The doctor: what is configured, what answers, what is missing, and how to mend each."""

from collections.abc import Iterable
from typing import Literal

from comfygen_mcp.models import Record
from comfygen_mcp.services.status import BackendStatus, HostStatus, ServerStatus, StatusService

Verdict = Literal["ok", "warning", "problem"]


class Finding(Record):
    """One thing looked at; *fix* says what to do unless it is ok."""

    about: str
    verdict: Verdict
    found: str
    fix: str = ""


async def examine(status: StatusService) -> list[Finding]:
    """Look at everything that a picture needs; changes nothing but may start the embedded engine."""
    seen = await status.server(probe=True)
    return [
        _store(seen),
        *(_host(host) for host in seen.hosts),
        *_backends(seen.backends),
        _models(seen.backends),
    ]


def healthy(findings: Iterable[Finding]) -> bool:
    return all(finding.verdict != "problem" for finding in findings)


def _store(seen: ServerStatus) -> Finding:
    if seen.store_error is None:
        return Finding(about="store", verdict="ok", found=f"{seen.store} can be written")
    return Finding(
        about="store",
        verdict="problem",
        found=seen.store_error,
        fix="Set COMFYGEN_STORE (or store: in comfygen.yaml) to a place that can be written.",
    )


def _host(host: HostStatus) -> Finding:
    about = f"host {host.url}"
    if host.error is not None:
        return Finding(
            about=about,
            verdict="problem",
            found=host.error,
            fix="Start it, correct its address, or remove it from comfygen.yaml and COMFYUI_URL.",
        )
    if host.preview_engine:
        return Finding(
            about=about,
            verdict="warning",
            found="no ComfyUI on 127.0.0.1:8188; the embedded engine draws preview pictures instead",
            fix="Start ComfyUI there, or set COMFYUI_URL to where it runs.",
        )
    queue = f"{host.running} running, {host.pending} waiting"
    return Finding(
        about=about, verdict="ok", found=f"ComfyUI {host.comfyui_version} on {host.device}, {queue}"
    )


def _backends(backends: Iterable[BackendStatus]) -> list[Finding]:
    """Judge what somebody configured; a bundled model that is not installed is nobody's mistake."""
    return [_backend(backend) for backend in backends if backend.configured or backend.error]


def _backend(backend: BackendStatus) -> Finding:
    about = f"backend {backend.name}"
    if backend.error is not None:
        return Finding(
            about=about, verdict="problem", found=backend.error, fix="Correct its block in comfygen.yaml."
        )
    readiness = backend.readiness
    if readiness is None or readiness.state == "ready":
        return Finding(about=about, verdict="ok", found=f"ready at {backend.address}")
    fix = {
        "missing files": "Download each file into the named folder below ComfyUI's models/ (docs/models.md).",
        "missing nodes": "Install the node pack there, or update ComfyUI.",
        "unreachable": "Start the host, or correct base_url in its block.",
    }.get(readiness.state, "Correct its block in comfygen.yaml.")
    return Finding(about=about, verdict="problem", found=readiness.reason, fix=fix)


def _models(backends: Iterable[BackendStatus]) -> Finding:
    judged = [b for b in backends if b.readiness is not None]
    ready = [b.name for b in judged if b.readiness is not None and b.readiness.state == "ready"]
    if any(b.readiness is not None and b.readiness.preview_engine for b in judged):
        return Finding(
            about="models",
            verdict="warning",
            found=f"none is installed; the embedded engine stands in for {len(ready)}",
            fix="Start ComfyUI and install a model's files: `comfygen models` names them.",
        )
    if ready:
        return Finding(about="models", verdict="ok", found=f"{len(ready)} ready: {', '.join(ready)}")
    return Finding(
        about="models",
        verdict="problem",
        found=f"none of the {len(judged)} known models can run",
        fix="`comfygen models` names the files each one needs; sd15 is the smallest to begin with.",
    )
