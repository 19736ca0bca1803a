"""What a column's type is."""


def is_dictionary(of) -> bool:
    return of.value_type is not None


def is_string(of) -> bool:
    return of.name == "string"


def is_null(of) -> bool:
    return of.name == "null"


def is_integer(of) -> bool:
    return of.name.lstrip("u").startswith("int")


def is_floating(of) -> bool:
    return of.name in ("float", "double")
