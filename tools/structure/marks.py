"""A part of a page that a tool writes, between two marks."""


def replaced(page: str, name: str, text: str) -> str:
    """The page with a new text between the marks of this name; ValueError without them."""
    before, begin, rest = page.partition(f"<!-- {name}: begin -->")
    _old, end, after = rest.partition(f"<!-- {name}: end -->")
    if not end:
        raise ValueError(f"the marks of `{name}` are wanted once, in their order")
    return f"{before}{begin}\n{text.strip()}\n{end}{after}"
