"""What a ComfyUI server has: model files, node classes, device."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.shapes import choices, items, mapping, strings, text, whole
from comfygen_mcp.comfyui.unreachable import not_comfyui
from comfygen_mcp.graph.files import OLD_FOLDER_NAMES
from comfygen_mcp.models import HostFacts, JsonValue

_MIB = 1024 * 1024


class Catalogue:
    """Asks one host; a file list is believed for a few seconds only."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._lists: dict[str, tuple[float, tuple[str, ...]]] = {}

    async def models(self, folder: str, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the files of `models/<folder>/`; none for a folder that the server does not have."""
        now = asyncio.get_running_loop().time()
        known = self._lists.get(folder)
        if known and not refresh and now - known[0] < self._http.timing.catalogue_life_s:
            return known[1]
        names = await self._fetched(folder)
        self._lists[folder] = (now, names)
        return names

    async def node(self, class_type: str) -> Mapping[str, JsonValue]:
        """Return the declaration of one node class; empty when the server does not have it."""
        reply = await self._http.get(f"/object_info/{quote(class_type, safe='')}")
        return mapping(mapping(reply).get(class_type))

    async def choices(self, class_type: str, input_name: str) -> tuple[JsonValue, ...]:
        """Return the valid values of a list input, in either form in which ComfyUI declares one."""
        inputs = mapping((await self.node(class_type)).get("input"))
        groups = [mapping(inputs.get(group)) for group in ("required", "optional")]
        return choices(next((group[input_name] for group in groups if input_name in group), None))

    async def facts(self) -> HostFacts:
        """Return version, device and VRAM in use; raises UnexpectedReply when this is no ComfyUI."""
        reply = mapping(await self._http.get("/system_stats"))
        system = mapping(reply.get("system"))
        if not system or "devices" not in reply:
            raise not_comfyui(self._http.host, "/system_stats is not there, or of another shape")
        device = mapping([*items(reply.get("devices")), None][0])
        return HostFacts(
            comfyui_version=text(system.get("comfyui_version")),
            vram_used_mib=_used_mib(device),
            device=text(device.get("name")),
            preview_engine=bool(system.get("comfygen_engine")),
        )

    async def _fetched(self, folder: str) -> tuple[str, ...]:
        for name in (folder, OLD_FOLDER_NAMES.get(folder)):
            if name and (reply := await self._http.get(f"/models/{quote(name, safe='')}")) is not None:
                return strings(reply)
        return ()


def _used_mib(device: Mapping[str, Any]) -> int | None:
    """Return the VRAM in use; a CPU device reports the machine's RAM, which is no answer."""
    total, free = whole(device.get("vram_total")), whole(device.get("vram_free"))
    if total is None or free is None or device.get("type") == "cpu":
        return None
    return max(0, total - free) // _MIB
