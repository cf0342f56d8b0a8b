from hypothesis import given
from hypothesis import strategies as st

from perdure.invoker.body_queue import BodyQueue


@given(st.lists(st.binary(min_size=1, max_size=20)), st.lists(st.integers(1, 50)))
def test_what_goes_in_comes_out_in_order(pieces, limits):
    queue = BodyQueue()
    for piece in pieces:
        queue.push(piece)
    body = b"".join(pieces)
    taken = b""
    for limit in limits:
        if not queue.size:
            break
        piece = queue.take(limit)
        assert len(piece) == min(limit, len(body) - len(taken))
        taken += piece
        assert queue.size == len(body) - len(taken)
    assert body.startswith(taken)


def test_cleared_is_empty():
    queue = BodyQueue()
    queue.push(b"abc")
    queue.take(1)
    queue.clear()
    assert queue.size == 0
    queue.push(b"xyz")
    assert queue.take(10) == b"xyz"
