"""What the access log of a stage says of every event."""

ACCESS_LOG_FORMAT = {
    "requestId": "$context.requestId",
    "connectionId": "$context.connectionId",
    "eventType": "$context.eventType",
    "routeKey": "$context.routeKey",
    "status": "$context.status",
    "integrationStatus": "$context.integration.status",
    "integrationLatency": "$context.integrationLatency",
    "error": "$context.error.message",
    "sourceIp": "$context.identity.sourceIp",
    "requestTime": "$context.requestTime",
    "disconnectStatusCode": "$context.disconnectStatusCode",
}
"""Ids and outcomes, never a query string (tokens) or a body."""
