"""``python -m nullspend_margins``: the same as the command ``nullspend-margins``."""

from nullspend_margins.cli import main

if __name__ == "__main__":
    main()
