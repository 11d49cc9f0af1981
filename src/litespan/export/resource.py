"""Who sends: the attributes of the service."""

from __future__ import annotations

import uuid

from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource

from litespan.settings import Settings


def build_resource(settings: Settings) -> Resource:
    """Return OpenTelemetry's resource with the service's name, if one is set, and an instance id."""
    resource = Resource.create({SERVICE_NAME: settings.service_name} if settings.service_name else {})
    if SERVICE_INSTANCE_ID in resource.attributes:
        return resource
    # Older OpenTelemetry SDKs make none; without it, the counters of two processes are one series.
    return resource.merge(Resource({SERVICE_INSTANCE_ID: str(uuid.uuid4())}))
