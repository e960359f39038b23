"""What a browser posts to the admin's pages of gateways."""

from typing import Any

from django.test import Client

PAGE = "/admin/ws_lambda/apigateway/"
FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:chat"


def typed(*routes: dict[str, str], **more: str) -> dict[str, str]:
    """What a browser posts from the form of a gateway."""
    kept = sum("key" in route for route in routes)
    data = {
        "api_name": "chat",
        "integration": "lambda",
        "lambda_function_arn": FUNCTION,
        "route_selection_expression": "$request.body.action",
        "route_key": "$default",
        "api_key_selection_expression": "$request.header.x-api-key",
        "stage_name": "production",
        "tags": "{}",
        "routes-TOTAL_FORMS": str(len(routes)),
        "routes-INITIAL_FORMS": str(kept),
    }
    for number, route in enumerate(routes):
        data |= {f"routes-{number}-{name}": value for name, value in route.items()}
    return data | more


def act(client: Client, action: str, *names: str, **more: str) -> Any:
    chosen = {"action": action, "_selected_action": names or ["chat"], "index": "0", **more}
    return client.post(PAGE, chosen, follow=True)
