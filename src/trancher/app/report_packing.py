"""Packing: a JSON value whose objects share few sets of keys, with each set written once.

A document of thousands of tranches says the same thirty keys for each; packed it is half as long.

Invariant: unpacked(packed(value)) == value, for every JSON value, key order included.
"""

from collections.abc import Mapping, Sequence

from trancher.app.output import Json

_LIST = -1


def packed(value: Json) -> Mapping[str, Json]:
    """Return `value` with the keys of its objects apart.

    In `packed` a list is [-1, items...] and an object [n, values...], where n counts `shapes`.
    """
    shapes: dict[tuple[str, ...], int] = {}
    body = _pack(value, shapes)
    return {"shapes": [list(keys) for keys in shapes], "packed": body}


def _pack(value: Json, shapes: dict[tuple[str, ...], int]) -> Json:
    if isinstance(value, Mapping):
        shape = shapes.setdefault(tuple(value), len(shapes))
        return [shape, *(_pack(one, shapes) for one in value.values())]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_LIST, *(_pack(one, shapes) for one in value)]
    return value


def unpacked(body: Json, shapes: Sequence[Sequence[str]]) -> Json:
    """Return the value of which `body` and `shapes` are the packing."""
    if not isinstance(body, Sequence) or isinstance(body, str):
        return body
    shape, *rest = body
    values = [unpacked(one, shapes) for one in rest]
    assert isinstance(shape, int)
    return values if shape == _LIST else dict(zip(shapes[shape], values, strict=True))
