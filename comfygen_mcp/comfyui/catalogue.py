"""What a ComfyUI server has: model files, node classes, device."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from comfygen_mcp.comfyui.http import Http
from comfygen_mcp.comfyui.object_info import DeclarationCache, Kept, Key
from comfygen_mcp.comfyui.shapes import choices, items, mapping, strings, text, whole
from comfygen_mcp.comfyui.unreachable import not_comfyui
from comfygen_mcp.graph.catalogue import FILE_SUFFIXES, parse_object_info
from comfygen_mcp.graph.files import OLD_FOLDER_NAMES, folder_of
from comfygen_mcp.models import HostFacts, JsonValue

_MIB = 1024 * 1024


class Catalogue:
    """Asks one host; a file list is believed for a few seconds only."""

    def __init__(self, http: Http, declarations: DeclarationCache | None = None) -> None:
        self._http = http
        self._lists: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._declarations = declarations
        self._facts: tuple[float, HostFacts] | None = None

    async def models(self, folder: str, *, refresh: bool = False) -> tuple[str, ...]:
        """Return the files of `models/<folder>/`; none for a folder that the server does not have."""
        now = asyncio.get_running_loop().time()
        known = self._lists.get(folder)
        if known and not refresh and now - known[0] < self._http.timing.catalogue_life_s:
            return known[1]
        names = await self._fetched(folder)
        self._lists[folder] = (now, names)
        return names

    async def node(self, class_type: str, *, fresh: bool = False) -> Mapping[str, JsonValue]:
        """Return the declaration of one node class; empty when the server does not have it.

        What the server said before is believed while its version stays the same, but for lists of files:
        those are asked again after a few seconds. *fresh* believes nothing.
        """
        cache = self._declarations
        if cache is None:
            return await self._declared(class_type)
        key, on_disk = await self._key(class_type)
        kept = None if fresh else await cache.get(key, on_disk=on_disk)
        if kept is not None and self._is_believed(class_type, kept):
            return kept.declared
        declared = await self._declared(class_type)
        if declared:
            await cache.put(key, declared, on_disk=on_disk)
        else:
            await cache.forget(key)
        return declared

    async def forget_node(self, class_type: str) -> None:
        """Ask for the declaration of *class_type* again next time: the server refused what it allows."""
        if self._declarations is not None:
            key, _ = await self._key(class_type)
            await self._declarations.forget(key)

    async def choices(self, class_type: str, input_name: str) -> tuple[JsonValue, ...]:
        """Return the valid values of a list input, in either form in which ComfyUI declares one."""
        inputs = mapping((await self.node(class_type, fresh=True)).get("input"))
        groups = [mapping(inputs.get(group)) for group in ("required", "optional")]
        return choices(next((group[input_name] for group in groups if input_name in group), None))

    async def facts(self) -> HostFacts:
        """Return version, device and VRAM in use; raises UnexpectedReply when this is no ComfyUI."""
        reply = mapping(await self._http.get("/system_stats"))
        system = mapping(reply.get("system"))
        if not system or "devices" not in reply:
            raise not_comfyui(self._http.host, "/system_stats is not there, or of another shape")
        device = mapping([*items(reply.get("devices")), None][0])
        facts = HostFacts(
            comfyui_version=text(system.get("comfyui_version")),
            vram_used_mib=_used_mib(device),
            device=text(device.get("name")),
            preview_engine=bool(system.get("comfygen_engine")),
        )
        self._facts = (asyncio.get_running_loop().time(), facts)
        return facts

    async def _key(self, class_type: str) -> tuple[Key, bool]:
        """Return the key of a class, and whether it may outlive this process.

        The embedded engine takes any free port, where the next one may be another: it is asked each time.
        """
        now = asyncio.get_running_loop().time()
        if self._facts is None or now - self._facts[0] >= self._http.timing.catalogue_life_s:
            facts = await self.facts()
        else:
            facts = self._facts[1]
        version = facts.comfyui_version
        key = Key(self._http.host.url, version or "", class_type)
        return key, version is not None and not facts.preview_engine

    def _is_believed(self, class_type: str, kept: Kept) -> bool:
        age = time.time() - kept.at
        return age < self._http.timing.catalogue_life_s or not _lists_files(class_type, kept.declared)

    async def _declared(self, class_type: str) -> Mapping[str, JsonValue]:
        reply = await self._http.get(f"/object_info/{quote(class_type, safe='')}")
        return mapping(mapping(reply).get(class_type))

    async def _fetched(self, folder: str) -> tuple[str, ...]:
        for name in (folder, OLD_FOLDER_NAMES.get(folder)):
            if name and (reply := await self._http.get(f"/models/{quote(name, safe='')}")) is not None:
                return strings(reply)
        return ()


def _lists_files(class_type: str, declared: Mapping[str, JsonValue]) -> bool:
    """Tell whether an input lists files, which come and go while the server runs; an empty list may do so."""
    spec = parse_object_info({class_type: dict(declared)}).get(class_type)
    inputs = spec.inputs.items() if spec else ()
    return any(
        wanted.options is not None
        and (
            not wanted.options
            or folder_of(class_type, name)
            or str(wanted.options[0]).endswith(FILE_SUFFIXES)
        )
        for name, wanted in inputs
    )


def _used_mib(device: Mapping[str, Any]) -> int | None:
    """Return the VRAM in use; a CPU device reports the machine's RAM, which is no answer."""
    total, free = whole(device.get("vram_total")), whole(device.get("vram_free"))
    if total is None or free is None or device.get("type") == "cpu":
        return None
    return max(0, total - free) // _MIB
