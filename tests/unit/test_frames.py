"""Error frames are those of API Gateway, byte for byte."""

import json

from ws_lambda.frames import error_frame


def test_the_spacing_is_the_services_own():
    frame = error_frame("Forbidden", connection_id="XDmENcnwIE0CFEQ=", request_id="XDmGEE2RoE0FRdQ=")
    assert frame == '{"message": "Forbidden", "connectionId":"XDmENcnwIE0CFEQ=", "requestId":"XDmGEE2RoE0FRdQ="}'


def test_it_is_json_whatever_the_ids_hold():
    assert json.loads(error_frame("a", connection_id='"', request_id="é"))["requestId"] == "é"
