"""The format of a stage's access log."""

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
"""Ids and results. It never contains a query string, which holds the token, or a body."""
