"""How fast the library is beside what one would use without it, and the figures that the README shows.

``python -m commitments.benchmark`` prints a report. `speed` measures characters a second, `growth` how time
grows with length, `start` what starting costs; `figures` joins them with the accuracy that `evaluate` finds,
and `card` writes README and model card from it. Nothing here is needed to read letters.
"""
