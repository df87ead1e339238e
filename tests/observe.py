"""What several tests need: waiting on a condition, looking at an engine from outside."""

import json
import urllib.request

import anyio

BOUND_S = 20.0


async def wait_until(condition):
    """Return once *condition()* holds; fails after a generous bound."""
    with anyio.fail_after(BOUND_S):
        while not condition():
            await anyio.sleep(0.02)


def jobs_on(url, prompt, status):
    """Return the engine's jobs of *status* whose graph holds *prompt*."""
    if status == "in_progress":
        listed = _get(f"{url}/queue")["queue_running"]
    else:
        jobs = _get(f"{url}/api/jobs?status={status}")["jobs"]
        listed = [_get(f"{url}/api/jobs/{job['id']}") for job in jobs]
    return [job for job in listed if json.dumps(prompt)[1:-1] in json.dumps(job)]


def finished_on(url):
    """Return the ids of all prompts that the engine has finished."""
    return set(_get(f"{url}/history"))


def error_text(result):
    """Return the text of a result that must be an error."""
    assert result.is_error, result.structured_content
    return result.content[0].text


def _get(url):
    with urllib.request.urlopen(url, timeout=10) as reply:  # noqa: S310 - a loopback engine of ours
        return json.load(reply)
