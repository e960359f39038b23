"""Reading frame headers out of a byte stream."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ws_lambda.local.websocket_frames import MAX_FRAME, MAX_MESSAGE, Meter, encoded, pieces


def frame(size, *, opcode=1, final=True, masked=True):
    """A client's frame of zeros."""
    mask = 0x80 if masked else 0
    if size < 126:
        length = bytes([mask | size])
    elif size < 65_536:
        length = struct.pack("!BH", mask | 126, size)
    else:
        length = struct.pack("!BQ", mask | 127, size)
    return bytes([(0x80 if final else 0) | opcode]) + length + (b"\0" * 4 if masked else b"") + b"\0" * size


FIRST = frame(MAX_FRAME, final=False)
NEXT = frame(MAX_FRAME, opcode=0, final=False)
LAST = frame(MAX_FRAME, opcode=0)


def fed(stream, cuts=()):
    meter, at = Meter(), 0
    for cut in (*sorted(cuts), len(stream)):
        meter.feed(stream[at:cut])
        at = cut
    return meter


@pytest.mark.parametrize(
    ("stream", "too_big"),
    [
        (frame(MAX_FRAME), False),
        (frame(MAX_FRAME + 1), True),
        (frame(70_000), True),
        (frame(MAX_FRAME) * 9, False),
        (FIRST + NEXT * 2 + LAST, False),
        (FIRST + NEXT * 3 + frame(1, opcode=0), True),
        (FIRST + frame(5, opcode=9) + LAST, False),
        (frame(10, masked=False) + frame(MAX_FRAME), False),
    ],
)
def test_what_is_too_big(stream, too_big):
    assert fed(stream).too_big is too_big


@given(st.lists(st.integers(0, 200), max_size=8), st.lists(st.integers(0, 1_500), max_size=12))
def test_however_the_stream_is_cut(sizes, cuts):
    stream = b"".join(frame(size) for size in sizes) + frame(3, opcode=9) + frame(2, opcode=8)
    meter = fed(stream, [cut for cut in cuts if cut < len(stream)])
    assert (meter.too_big, meter.pings, meter.close_seen) == (False, 1, True)


@given(st.binary(max_size=MAX_MESSAGE))
def test_a_message_is_cut_into_frames_that_fit(payload):
    assert b"".join(pieces(payload)) == payload
    assert all(len(piece) <= MAX_FRAME for piece in pieces(payload))
    assert not fed(encoded(payload)).too_big
