"""Puts the comparisons together: planner, shelf and service."""

from datetime import UTC, datetime

from comfygen_mcp.presets import Presets
from comfygen_mcp.services.catalogue import Catalogue
from comfygen_mcp.services.comparison import ComparisonService
from comfygen_mcp.services.comparison_plan import ComparisonPlanner
from comfygen_mcp.services.comparison_shelf import ComparisonShelf
from comfygen_mcp.services.generation import GenerationService
from comfygen_mcp.services.offers import Offers
from comfygen_mcp.stores.base import Store


def comparisons(
    offers: Offers, catalogue: Catalogue, presets: Presets, generation: GenerationService, store: Store
) -> ComparisonService:
    """Return the service; it is to be closed before the job engine."""

    def now() -> datetime:
        return datetime.now(UTC)

    return ComparisonService(
        planner=ComparisonPlanner(offers=offers, catalogue=catalogue, presets=presets, now=now),
        generation=generation,
        shelf=ComparisonShelf(store),
        now=now,
    )
