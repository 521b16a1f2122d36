"""Figures of the structure of the product, of any checkout; the pages that are drawn from it."""
