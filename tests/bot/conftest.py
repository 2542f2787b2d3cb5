"""The service with the demo shop, as the journeys use it."""

from tests.journeys.conftest import phone, resources, service

__all__ = ["phone", "resources", "service"]
