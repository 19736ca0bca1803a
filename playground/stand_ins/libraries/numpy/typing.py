"""Annotations, which nobody looks at when it runs."""


class _Any:
    def __class_getitem__(cls, _):
        return cls


NDArray = ArrayLike = _Any
